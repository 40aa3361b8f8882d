//! TLS in front of the simulated channel, under a root that is made for the run and forgotten with it.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The channel's name in the machine, as its /etc/hosts has it.
const NAME: &str = "alipay.outside.example";

/// A listening front.
#[derive(Debug)]
pub struct Front {
    /// Its loopback port.
    pub port: u16,
    /// The root that a terminal must know, as PEM.
    pub root_pem: String,
}

impl Front {
    /// Opens it in front of `behind`.
    ///
    /// # Errors
    ///
    /// When no certificate can be made or there is no free port.
    pub async fn open(behind: SocketAddr) -> anyhow::Result<Self> {
        let (root_pem, acceptor) = acceptor()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(serve(listener, acceptor, behind));
        Ok(Self { port, root_pem })
    }
}

fn acceptor() -> anyhow::Result<(String, TlsAcceptor)> {
    let root_key = KeyPair::generate()?;
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key)?.pem();
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![NAME.to_owned()])?.signed_by(&key, &Issuer::new(root, root_key))?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok((root_pem, TlsAcceptor::from(Arc::new(config))))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, behind: SocketAddr) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A terminal whose power was cut leaves half a conversation; the next one is another connection.
            let mut terminal = acceptor.accept(stream).await?;
            let mut channel = TcpStream::connect(behind).await?;
            copy_bidirectional(&mut terminal, &mut channel).await
        });
    }
}
