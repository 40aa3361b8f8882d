//! Which gateway is allowed: a real machine must not give goods away for pretend money, and must not send real payments
//! through a stranger.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Url;

use super::checked::Mode;
use super::raw::Written;
use super::source::Findings;

/// Alipay's production gateway (reference/alipay.md 2.1).
pub(super) const PRODUCTION: &str = "https://openapi.alipay.com/gateway.do";
const PRODUCTION_HOST: &str = "openapi.alipay.com";
/// Alipay's sandboxes, today's and the retired one, end in this.
const SANDBOX_DOMAIN: &str = "alipaydev.com";

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// This machine or its own network.
    Inside,
    /// Alipay's sandbox.
    AlipaySandbox,
    /// Alipay itself.
    Alipay,
    /// Somewhere else.
    Elsewhere,
}

/// Checks the gateway against the mode.
pub(super) fn check(url: &Written<String>, mode: Mode, sandbox_built: bool, found: &mut Findings<'_>) {
    let parsed = Url::parse(&url.value).ok();
    let Some((parsed, host)) = parsed.as_ref().and_then(|parsed| Some((parsed, parsed.host_str()?))) else {
        found.error(&url.at, format!("\"{}\" is not an address", url.value), format!("the gateway is {PRODUCTION}"));
        return;
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        found.error(
            &url.at,
            "a user name stands in front of the gateway's host",
            format!("the gateway is {PRODUCTION}"),
        );
    }
    let is_plain = parsed.scheme() != "https";
    match mode {
        Mode::Production => check_production(url, reach(host), is_plain, found),
        Mode::Sandbox => check_sandbox(url, reach(host), is_plain, sandbox_built, found),
    }
}

fn check_production(url: &Written<String>, reach: Reach, is_plain: bool, found: &mut Findings<'_>) {
    let problem = match (reach, is_plain) {
        (Reach::Inside, _) => "a gateway on this machine or its own network cannot take real money",
        (Reach::AlipaySandbox, _) => "this is Alipay's sandbox: goods would be given away for pretend money",
        (Reach::Alipay | Reach::Elsewhere, true) => "the gateway is not called over https",
        (Reach::Alipay | Reach::Elsewhere, false) => return,
    };
    let advice = format!("use {PRODUCTION}; for a test without real money set mode = \"sandbox\" in [terminal]");
    found.error(&url.at, problem, advice);
}

fn check_sandbox(url: &Written<String>, reach: Reach, is_plain: bool, sandbox_built: bool, found: &mut Findings<'_>) {
    match reach {
        Reach::Alipay => found.error(
            &url.at,
            "mode = \"sandbox\" with Alipay's production gateway: buyers would pay real money",
            "set mode = \"production\" in [terminal], or use the address of Alipay's sandbox",
        ),
        Reach::Inside | Reach::AlipaySandbox | Reach::Elsewhere
            if (reach == Reach::Inside || is_plain) && !sandbox_built =>
        {
            found.error(
                &url.at,
                "this build of Till has no sandbox, so a local or unencrypted gateway is refused",
                format!("use an https gateway such as {PRODUCTION}, or a build with the feature \"demo\""),
            );
        }
        Reach::Inside | Reach::AlipaySandbox | Reach::Elsewhere => {}
    }
}

fn reach(host: &str) -> Reach {
    let host = host.trim_end_matches('.');
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_under = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    match address {
        Ok(address) if is_inside(address) => Reach::Inside,
        Ok(_) => Reach::Elsewhere,
        Err(_) if ["localhost", "local", "internal", "lan"].into_iter().any(is_under) => Reach::Inside,
        Err(_) if !host.contains('.') => Reach::Inside,
        Err(_) if host == PRODUCTION_HOST => Reach::Alipay,
        Err(_) if is_under(SANDBOX_DOMAIN) => Reach::AlipaySandbox,
        Err(_) => Reach::Elsewhere,
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
            assert_eq!(reach(parsed.host_str().expect("a host")), Reach::Inside, "{url}");
        }
    }

    #[test]
    fn alipay_is_told_from_its_sandbox_and_from_strangers() {
        assert_eq!(reach("openapi.alipay.com"), Reach::Alipay);
        assert_eq!(reach("openapi-sandbox.dl.alipaydev.com"), Reach::AlipaySandbox);
        assert_eq!(reach("openapi.alipaydev.com"), Reach::AlipaySandbox);
        assert_eq!(reach("notalipaydev.com"), Reach::Elsewhere);
        assert_eq!(reach("8.8.8.8"), Reach::Elsewhere);
    }
}
