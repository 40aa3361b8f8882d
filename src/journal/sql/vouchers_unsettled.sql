SELECT coalesce(sum(amount - refunded), 0) FROM voucher_uses WHERE paid_seq > ?1
