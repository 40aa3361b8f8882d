//! Alipay, open platform gateway version 1.0.
