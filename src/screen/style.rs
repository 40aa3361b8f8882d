//! Sizes of letters, pictures and margins for small, medium and large panels.

use embedded_graphics::geometry::Size;

use super::text::{
    FIGURES_16, FIGURES_24, FIGURES_32, FIGURES_48, FIGURES_64, FIGURES_96, Font, TEXT_16, TEXT_24, TEXT_32, TEXT_48,
};

/// How large a panel is, by its shorter side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 240 pixels and a little more.
    Small,
    /// From 300.
    Medium,
    /// From 440.
    Large,
}

impl Class {
    pub(super) fn of(size: Size) -> Self {
        match size.width.min(size.height) {
            0..300 => Self::Small,
            300..440 => Self::Medium,
            440.. => Self::Large,
        }
    }

    /// What stays free along the edges.
    pub(super) const fn margin(self) -> u32 {
        match self {
            Self::Small => 8,
            Self::Medium => 14,
            Self::Large => 28,
        }
    }

    /// Between the blocks of a column.
    pub(super) const fn gap(self) -> u32 {
        match self {
            Self::Small => 6,
            Self::Medium => 10,
            Self::Large => 16,
        }
    }

    /// The one thing to know.
    pub(super) const fn title(self) -> &'static [Font] {
        match self {
            Self::Small => &[TEXT_32, TEXT_24, TEXT_16],
            Self::Medium | Self::Large => &[TEXT_48, TEXT_32, TEXT_24, TEXT_16],
        }
    }

    /// What to do.
    pub(super) const fn body(self) -> &'static [Font] {
        match self {
            Self::Small | Self::Medium => &[TEXT_24, TEXT_16],
            Self::Large => &[TEXT_32, TEXT_24],
        }
    }

    /// What is good to know.
    pub(super) const fn note(self) -> &'static [Font] {
        match self {
            Self::Small => &[TEXT_16],
            Self::Medium => &[TEXT_24, TEXT_16],
            Self::Large => &[TEXT_24],
        }
    }

    /// What can be chosen by a key.
    pub(super) const fn choice(self) -> &'static [Font] {
        match self {
            Self::Small => &[TEXT_16],
            Self::Medium => &[TEXT_24, TEXT_16],
            // The rest gets smaller before these do.
            Self::Large => &[TEXT_24, TEXT_24, TEXT_16],
        }
    }

    /// An amount, where it is what matters.
    pub(super) const fn amount(self) -> &'static [Font] {
        match self {
            Self::Small => &[FIGURES_48, FIGURES_32, FIGURES_24],
            Self::Medium => &[FIGURES_64, FIGURES_48, FIGURES_32],
            Self::Large => &[FIGURES_96, FIGURES_64, FIGURES_48],
        }
    }

    /// An amount that is too long for the others. It is never cut.
    pub(super) const fn long_amount(self) -> &'static [Font] {
        match self {
            Self::Small => &[FIGURES_24, FIGURES_16],
            Self::Medium => &[FIGURES_32, FIGURES_24, FIGURES_16],
            Self::Large => &[FIGURES_48, FIGURES_32, FIGURES_24, FIGURES_16],
        }
    }

    /// Figures beside a large amount.
    pub(super) const fn countdown(self) -> &'static [Font] {
        match self {
            Self::Small => &[FIGURES_24, FIGURES_16],
            Self::Medium => &[FIGURES_32, FIGURES_24, FIGURES_16],
            Self::Large => &[FIGURES_48, FIGURES_32, FIGURES_24],
        }
    }

    /// The sides of pictures.
    pub(super) const fn pictures(self) -> &'static [u32] {
        match self {
            Self::Small => &[80, 64, 48],
            Self::Medium => &[112, 96, 64],
            Self::Large => &[168, 128, 96],
        }
    }

    /// The sides of pictures that stand beside the words.
    pub(super) const fn side_pictures(self) -> &'static [u32] {
        match self {
            Self::Small => &[96, 80, 64],
            Self::Medium => &[144, 112, 96],
            Self::Large => &[216, 168, 128],
        }
    }
}
