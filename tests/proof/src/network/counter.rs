//! The terminal's API, as a till or a kiosk beside the machine uses it.

use reqwest::Method as Verb;
use serde_json::{Value, json};

use crate::shop::Shop;

/// A caller of the terminal's socket.
#[derive(Debug)]
pub(super) struct Counter {
    client: reqwest::Client,
    prices: Vec<(String, i64)>,
}

impl Counter {
    pub(super) fn of(shop: &Shop) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().unix_socket(shop.scene.socket_path.clone()).build()?;
        let prices = shop.scene.products.iter().map(|product| (product.slot.to_owned(), product.price_fen)).collect();
        Ok(Self { client, prices })
    }

    /// A slot that jammed may be tried again.
    pub(super) async fn clear(&self, slot: &str) -> anyhow::Result<()> {
        let _cleared = self.call(Verb::DELETE, &format!("/v1/faults/slot-{slot}"), None).await?;
        Ok(())
    }

    /// Opens an order; `None` while the machine is not free or does not sell.
    pub(super) async fn open(&self, slot: &str, who: &str, within_s: Option<u64>) -> anyhow::Result<Option<String>> {
        let amount = self.prices.iter().find(|(name, _)| *name == slot).map_or(0, |(_, price)| *price);
        let mut body = json!({"amount": amount, "currency": "CNY", "items": [{"slot": slot}], "who_scans": who});
        if let Some(within_s) = within_s {
            body["pay_within_s"] = within_s.into();
        }
        let (status, answer) = self.call(Verb::POST, "/v1/orders", Some(body)).await?;
        match status {
            201 => Ok(answer["id"].as_str().map(str::to_owned)),
            409 | 503 => Ok(None),
            _ => anyhow::bail!("the terminal refused an order with {status}: {answer}"),
        }
    }

    /// The state of an order.
    pub(super) async fn state(&self, order: &str) -> anyhow::Result<String> {
        let (_, now) = self.call(Verb::GET, &format!("/v1/orders/{order}"), None).await?;
        Ok(now["state"].as_str().unwrap_or_default().to_owned())
    }

    pub(super) async fn cancel(&self, order: &str) -> anyhow::Result<()> {
        // It may be too late for that.
        let _over = self.call(Verb::POST, &format!("/v1/orders/{order}/cancel"), None).await?;
        Ok(())
    }

    /// A code from the kiosk's own scanner.
    pub(super) async fn scanned(&self, order: &str, code: String) -> anyhow::Result<()> {
        // A code that is not taken is not charged; the next one is.
        let _answer = self.call(Verb::POST, "/v1/scans", Some(json!({"order": order, "code": code}))).await?;
        Ok(())
    }

    async fn call(&self, verb: Verb, path: &str, body: Option<Value>) -> anyhow::Result<(u16, Value)> {
        let mut request = self.client.request(verb, format!("http://till{path}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}
