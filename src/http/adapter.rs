//! The channels' protocols side by side. A closed set: a new channel is a variant here, and the compiler lists the rest.

use payment::channel::alipay::Alipay;
use payment::channel::allinpay::vsp::Vsp;
use payment::channel::allinpay::yst::Yst;
use payment::channel::wechat::Wechat;
use payment::channel::{ChannelId, Decoded, HttpReply, HttpRequest, Request};
use payment::time::Wall;

/// One channel's protocol, its keys loaded.
#[expect(clippy::large_enum_variant, reason = "there is one for each channel, made once at the start and never moved")]
#[derive(Debug)]
pub enum Adapter {
    /// Alipay.
    Alipay(Alipay),
    /// WeChat Pay.
    Wechat(Wechat),
    /// Allinpay VSP.
    AllinpayVsp(Vsp),
    /// Allinpay 云商通.
    AllinpayYst(Yst),
}

impl Adapter {
    /// Whose it is.
    #[must_use]
    pub const fn id(&self) -> ChannelId {
        match self {
            Self::Alipay(_) => ChannelId::Alipay,
            Self::Wechat(_) => ChannelId::Wechat,
            Self::AllinpayVsp(_) => ChannelId::AllinpayVsp,
            Self::AllinpayYst(_) => ChannelId::AllinpayYst,
        }
    }

    /// The signed HTTP request. `entropy` is for nonces and signatures that need it.
    #[must_use]
    pub fn encode(&self, request: &Request, wall: Wall, entropy: [u8; 32]) -> HttpRequest {
        match self {
            Self::Alipay(alipay) => alipay.encode(request, wall),
            Self::Wechat(wechat) => wechat.encode(request, wall, entropy),
            Self::AllinpayVsp(vsp) => vsp.encode(request, wall, entropy),
            Self::AllinpayYst(yst) => yst.encode(request, wall, entropy),
        }
    }

    /// What the reply to `request` means.
    #[must_use]
    pub fn decode(&self, request: &Request, wall: Wall, reply: &HttpReply) -> Decoded {
        match self {
            Self::Alipay(alipay) => alipay.decode(request, reply.status, &reply.body),
            Self::Wechat(wechat) => wechat.decode(request, wall, reply),
            Self::AllinpayVsp(vsp) => vsp.decode(request, wall, reply),
            Self::AllinpayYst(yst) => yst.decode(request, wall, reply),
        }
    }

    /// The request for the key that [`Decoded::UnknownKey`] named; `None` where the channel does not give keys out.
    #[must_use]
    pub fn key_request(&self, serial: &str, wall: Wall, entropy: [u8; 32]) -> Option<HttpRequest> {
        match self {
            Self::Alipay(alipay) => Some(alipay.certificate_request(serial, wall)),
            Self::Wechat(wechat) => Some(wechat.key_request(serial, wall, entropy)),
            Self::AllinpayVsp(_) | Self::AllinpayYst(_) => None,
        }
    }

    /// Takes the key out of the reply to [`Adapter::key_request`], if it can be trusted.
    ///
    /// # Errors
    ///
    /// Why it is not taken, in words.
    pub fn accept_key(&self, serial: &str, wall: Wall, reply: &HttpReply) -> Result<(), String> {
        match self {
            Self::Alipay(alipay) => {
                alipay.accept_certificate(serial, reply.status, &reply.body).map_err(|error| error.to_string())
            }
            Self::Wechat(wechat) => wechat.accept_key(serial, wall, reply).map_err(|error| error.to_string()),
            Self::AllinpayVsp(_) | Self::AllinpayYst(_) => Err("Allinpay gives no keys out".to_owned()),
        }
    }
}
