//! Which gateway is allowed: a real machine must not give goods away for pretend money, and must not send real payments
//! through a stranger.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Url;

use super::checked::Mode;
use super::raw::Written;
use super::source::Findings;

/// One address of a channel, and which hosts are whose. A domain stands for all hosts under it.
#[derive(Debug)]
pub(super) struct Gateway {
    /// The channel, as people call it.
    pub(super) whose: &'static str,
    /// The address with real money.
    pub(super) production: &'static str,
    /// Where real money is moved.
    real: &'static [&'static str],
    /// Where pretend money is moved; looked at first.
    pretend: &'static [&'static str],
}

impl Gateway {
    /// Alipay's gateway. Its sandboxes, today's and the retired one, end in `alipaydev.com` (reference/alipay.md 2.1).
    pub(super) const ALIPAY: Self = Self {
        whose: "Alipay",
        production: "https://openapi.alipay.com/gateway.do",
        real: &["openapi.alipay.com"],
        pretend: &["alipaydev.com"],
    };
    /// WeChat Pay's payment host. There is no sandbox (reference/wechatpay.md 1.1).
    pub(super) const WECHAT: Self = Self::wechat("https://api.mch.weixin.qq.com");
    /// Its second host.
    pub(super) const WECHAT_BACKUP: Self = Self::wechat("https://api2.mch.weixin.qq.com");
    /// The host of the mini-program interfaces.
    pub(super) const WEIXIN: Self = Self::wechat("https://api.weixin.qq.com");

    const fn wechat(production: &'static str) -> Self {
        Self { whose: "WeChat Pay", production, real: &["weixin.qq.com", "wechatpay.cn"], pretend: &[] }
    }
    /// Allinpay's VSP (reference/allinpay.md 1).
    pub(super) const VSP: Self = Self::allinpay("https://vsp.allinpay.com/apiweb");
    /// Its statements and terminal filing.
    pub(super) const VSP_STATEMENTS: Self = Self::allinpay("https://cus.allinpay.com/cusapi");
    /// Allinpay's 云商通, generation 2.
    pub(super) const YST: Self = Self::allinpay("https://ibsapi.allinpay.com/yst-service-api");

    const fn allinpay(production: &'static str) -> Self {
        let pretend = &["syb-test.allinpay.com", "ibstest.allinpay.com", "test.allinpaygd.com"];
        Self { whose: "Allinpay", production, real: &["allinpay.com"], pretend }
    }

    /// What to use where no money is real.
    fn elsewhere(&self) -> String {
        match self.pretend.first() {
            Some(_) => format!("use the address of {}'s sandbox", self.whose),
            None => format!("use the simulated gateway: {} has no sandbox", self.whose),
        }
    }

    fn reach(&self, host: &str) -> Reach {
        let host = host.trim_end_matches('.');
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_under =
            |domain: &&str| host == *domain || host.strip_suffix(*domain).is_some_and(|rest| rest.ends_with('.'));
        match address {
            Ok(address) if is_inside(address) => Reach::Inside,
            Ok(_) => Reach::Elsewhere,
            Err(_) if ["localhost", "local", "internal", "lan"].iter().any(is_under) => Reach::Inside,
            Err(_) if !host.contains('.') => Reach::Inside,
            Err(_) if self.pretend.iter().any(is_under) => Reach::Pretend,
            Err(_) if self.real.iter().any(is_under) => Reach::Real,
            Err(_) => Reach::Elsewhere,
        }
    }
}

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// This machine or its own network.
    Inside,
    /// The channel's sandbox.
    Pretend,
    /// The channel itself.
    Real,
    /// Somewhere else.
    Elsewhere,
}

/// What an address is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) mode: Mode,
    /// Whether this build has the simulated gateways.
    pub(super) sandbox_built: bool,
}

/// Checks the gateway against the mode.
pub(super) fn check(url: &Written<String>, gateway: &Gateway, ground: Ground, found: &mut Findings<'_>) {
    let advice = format!("the address is {}", gateway.production);
    let parsed = Url::parse(&url.value).ok();
    let Some((parsed, host)) = parsed.as_ref().and_then(|parsed| Some((parsed, parsed.host_str()?))) else {
        return found.error(&url.at, format!("\"{}\" is not an address", url.value), advice);
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        found.error(&url.at, "a user name stands in front of the gateway's host", advice);
    }
    let (reach, is_plain) = (gateway.reach(host), parsed.scheme() != "https");
    match ground.mode {
        Mode::Production => check_production(url, gateway, reach, is_plain, found),
        Mode::Sandbox => {
            let is_refused = !ground.sandbox_built && (is_plain || reach == Reach::Inside);
            check_sandbox(url, gateway, reach, is_refused, found);
        }
    }
}

fn check_production(url: &Written<String>, gateway: &Gateway, reach: Reach, is_plain: bool, found: &mut Findings<'_>) {
    let problem = match (reach, is_plain) {
        (Reach::Inside, _) => "a gateway on this machine or its own network cannot take real money".to_owned(),
        (Reach::Pretend, _) => {
            format!("this is {}'s sandbox: goods would be given away for pretend money", gateway.whose)
        }
        (Reach::Real | Reach::Elsewhere, true) => "the gateway is not called over https".to_owned(),
        (Reach::Real | Reach::Elsewhere, false) => return,
    };
    let production = gateway.production;
    let advice = format!("use {production}; for a test without real money set mode = \"sandbox\" in [terminal]");
    found.error(&url.at, problem, advice);
}

fn check_sandbox(url: &Written<String>, gateway: &Gateway, reach: Reach, is_refused: bool, found: &mut Findings<'_>) {
    let production = gateway.production;
    match reach {
        Reach::Real => found.error(
            &url.at,
            format!("mode = \"sandbox\" with {}'s production gateway: buyers would pay real money", gateway.whose),
            format!("set mode = \"production\" in [terminal], or {}", gateway.elsewhere()),
        ),
        Reach::Inside | Reach::Pretend | Reach::Elsewhere if is_refused => found.error(
            &url.at,
            "this build of Till has no sandbox, so a local or unencrypted gateway is refused",
            format!("use an https gateway such as {production}, or a build with the feature \"demo\""),
        ),
        Reach::Inside | Reach::Pretend | Reach::Elsewhere => {}
    }
}

fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_inside_v6(v6), |v4| is_inside(v4.into())),
    }
}

fn is_inside_v6(v6: Ipv6Addr) -> bool {
    v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_inside_is_recognised_however_it_is_written() {
        for url in [
            "http://127.0.0.1:8080/gateway.do",
            "https://127.1/gateway.do",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://192.168.1.2/",
            "https://10.0.0.1/",
            "https://172.16.0.9/",
            "https://169.254.1.1/",
            "https://0.0.0.0/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://till.local/",
            "https://gateway/",
        ] {
            let parsed = Url::parse(url).expect("an address");
            let host = parsed.host_str().expect("a host");
            assert_eq!(Gateway::ALIPAY.reach(host), Reach::Inside, "{url}");
        }
    }

    #[test]
    fn a_channel_is_told_from_its_sandbox_and_from_strangers() {
        use Reach::{Elsewhere, Pretend, Real};
        let (alipay, wechat, vsp, yst) = (&Gateway::ALIPAY, &Gateway::WECHAT, &Gateway::VSP, &Gateway::YST);
        for (gateway, host, reach) in [
            (alipay, "openapi.alipay.com", Real),
            (alipay, "openapi-sandbox.dl.alipaydev.com", Pretend),
            (alipay, "openapi.alipaydev.com", Pretend),
            (alipay, "notalipaydev.com", Elsewhere),
            (alipay, "8.8.8.8", Elsewhere),
            (wechat, "api.mch.weixin.qq.com", Real),
            (wechat, "api2.mch.weixin.qq.com.", Real),
            (wechat, "api2.wechatpay.cn", Real),
            (wechat, "api.mch.weixin.qq.com.example.com", Elsewhere),
            (vsp, "vsp.allinpay.com", Real),
            (vsp, "syb.allinpay.com", Real),
            (vsp, "syb-test.allinpay.com", Pretend),
            (vsp, "test.allinpaygd.com", Pretend),
            (vsp, "notallinpay.com", Elsewhere),
            (yst, "ibsapi.allinpay.com", Real),
            (yst, "ibstest.allinpay.com", Pretend),
        ] {
            assert_eq!(gateway.reach(host), reach, "{host}");
        }
        for gateway in [alipay, wechat, vsp, yst, &Gateway::WECHAT_BACKUP, &Gateway::WEIXIN, &Gateway::VSP_STATEMENTS] {
            let url = Url::parse(gateway.production).expect("an address");
            assert_eq!(gateway.reach(url.host_str().expect("a host")), Real, "{}", gateway.production);
        }
    }
}
