//! Lead times alone, as a replay draws them.

use exo_idp::Arrivals;
use exo_idp::policy::LeadTimeLaw;
use gpu::Stream;
use rand::RngExt;

use crate::baselines::LeadTimeOnly;
use crate::error::ArrivalsError;

/// Lead times by the vendor of a product: what a replay without quantities over time knows.
#[derive(Debug, Clone)]
pub(super) struct VendorLeadTimes {
    law: LeadTimeOnly,
    vendors: Vec<usize>,
    stream: Stream,
}

impl VendorLeadTimes {
    pub(super) fn new(
        law: LeadTimeOnly,
        vendors: Vec<usize>,
        seed: u64,
    ) -> Result<Self, ArrivalsError> {
        law.check_vendors(&vendors)?;
        Ok(VendorLeadTimes {
            law,
            vendors,
            stream: Stream::new(seed, "lead times alone"),
        })
    }
}

impl LeadTimeLaw for VendorLeadTimes {
    fn probabilities(&self, product: usize) -> &[f64] {
        self.law.probabilities(self.vendors[product])
    }
}

impl Arrivals for VendorLeadTimes {
    fn max_lead_time(&self) -> usize {
        self.law.periods() - 1
    }

    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        let key = ((sample as u64) << 32) | product as u64;
        // Orders of weeks before the first have numbers of their own.
        let week = u32::try_from(week.saturating_add(1 << 16)).unwrap_or(0);
        let uniform: f64 = self.stream.at(key, week).random();
        shares.fill(0.0);
        shares[self.law.lead(self.vendors[product], uniform)] = 1.0;
    }
}
