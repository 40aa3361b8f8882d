//! What is in the simulated machine.

use crate::config::Language;

/// One kind of goods in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// The slot, as printed beside it.
    pub slot: &'static str,
    /// The merchant's code.
    pub code: &'static str,
    /// What a Chinese buyer reads.
    pub chinese: &'static str,
    /// What an English buyer reads.
    pub english: &'static str,
    /// What one costs, in fen.
    pub price_fen: i64,
}

const fn product(
    slot: &'static str,
    code: &'static str,
    chinese: &'static str,
    english: &'static str,
    price_fen: i64,
) -> Product {
    Product { slot, code, chinese, english, price_fen }
}

/// Everything that the simulated machine sells.
pub const PRODUCTS: [Product; 6] = [
    product("11", "WATER-550", "矿泉水 550ml", "Spring water", 200),
    product("12", "OOLONG-500", "乌龙茶 500ml", "Oolong tea", 450),
    product("13", "ORANGE-300", "橙汁 300ml", "Orange juice", 600),
    product("21", "CRISPS-45", "薯片 45g", "Crisps", 550),
    product("22", "BISCUIT-80", "饼干 80g", "Biscuits", 399),
    product("23", "CHOCO-40", "巧克力 40g", "Chocolate bar", 850),
];

/// In the demo's last slot: dear enough to be paid by the month.
const POWER_BANK: Product = product("23", "POWER-20K", "充电宝 20000mAh", "Power bank", 12_900);

/// Puts it there, whatever was in that slot.
pub(super) fn put_in_something_dear(products: &mut [Product]) {
    if let Some(place) = products.iter_mut().find(|product| product.slot == POWER_BANK.slot) {
        *place = POWER_BANK;
    }
}

/// What lies in these slots.
pub(super) fn products_of<'a>(slots: impl Iterator<Item = &'a str>) -> Vec<Product> {
    let known = |slot: &str| PRODUCTS.iter().find(|product| product.slot == slot).copied();
    slots.filter_map(known).collect()
}

impl Product {
    /// What the buyer reads.
    #[must_use]
    pub const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.chinese,
            Language::English => self.english,
        }
    }

    /// Its block of `till.toml`.
    pub(super) fn in_config(&self, language: Language) -> String {
        let Self { slot, code, price_fen, .. } = self;
        let (yuan, fen, name) = (price_fen / 100, price_fen % 100, self.name(language));
        format!("[[product]]\nslot = \"{slot}\"\ncode = \"{code}\"\nname = \"{name}\"\nprice = \"{yuan}.{fen:02}\"\n")
    }
}
