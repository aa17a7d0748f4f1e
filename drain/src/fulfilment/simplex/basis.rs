//! A basis: the tree, and at which bound every arc outside the tree lies.

use super::amount::Amount;
use super::network::{Arc, Network, ROUNDING};
use super::tree::{Link, Tree};

/// Where an arc lies, as the factor of its reduced cost that is negative when moving the arc betters the cost.
pub(super) const AT_ZERO: f64 = 1.0;
pub(super) const AT_CAPACITY: f64 = -1.0;
pub(super) const IN_TREE: f64 = 0.0;

#[derive(Debug, Clone)]
pub(super) struct Basis {
    pub(super) tree: Tree,
    /// One a shipping arc, row by row.
    pub(super) state: Vec<f64>,
    /// Whether arcs may lie at capacity.
    pub(super) bounded: bool,
    pub(super) pivots: usize,
}

/// An arc that betters the cost, and its reduced cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entering {
    pub(super) arc: Arc,
    pub(super) price: f64,
    pub(super) rank: i64,
}

impl Basis {
    pub(super) fn fits(&self, network: &Network<'_>) -> bool {
        self.tree.price.len() == network.hub + 1
            && self.state.len() == network.warehouses * network.regions
    }

    /// The reduced cost of an arc.
    #[inline]
    pub(super) fn reduced(&self, arc: Arc, network: &Network<'_>) -> f64 {
        network.cost(arc) + self.tree.price[arc.from] - self.tree.price[arc.to]
    }

    /// Flows of the tree from supplies and the arcs at capacity. Where an arc would leave its bounds, it leaves the tree instead, and what
    /// hangs on it moves to the hub.
    pub(super) fn repair(&mut self, network: &Network<'_>) {
        let hub = network.hub;
        let mut excess: Vec<Amount> = (0..hub).map(|node| network.supply(node)).collect();
        excess.push(Amount::ZERO);
        if self.bounded {
            for (a, state) in self.state.iter_mut().enumerate() {
                let closed = network.problem.cost()[a] == f64::INFINITY;
                if *state == AT_CAPACITY
                    && (closed || network.problem.arc_capacity(a).is_infinite())
                {
                    *state = AT_ZERO;
                }
            }
        }
        self.bounded = network.problem.capacity().is_some();
        self.withdraw_full(&mut excess, network);
        let order = self.tree.order();
        for &node in order.iter().rev() {
            let parent = self.tree.parent(node);
            if parent != hub {
                let arc = self.tree.arc(node);
                let up = self.tree.link(node).up;
                let flow = if up { excess[node] } else { -excess[node] }.without(network.dust);
                let limit = network.capacity(arc);
                let banned = network.cost(arc) == f64::INFINITY;
                if !banned && flow > Amount::ZERO && flow < limit {
                    self.tree.set_flow(node, flow);
                    let through = excess[node];
                    excess[parent] += through;
                    continue;
                }
                let full = !banned && flow > Amount::ZERO;
                let shipping = network.shipping(arc).expect("no other arc joins two nodes");
                self.state[shipping] = if full { AT_CAPACITY } else { AT_ZERO };
                let stays = if full { limit } else { Amount::ZERO };
                let through = if up { stays } else { -stays };
                excess[node] -= through;
                excess[parent] += through;
            }
            let rest = excess[node].without(network.dust);
            let up = rest > Amount::ZERO;
            let flow = if up { rest } else { -rest };
            self.tree.rehang(node, hub, Link { up, flow });
        }
        // Parents still come first: whoever moved hangs on the hub now.
        self.tree.refresh(&order, network);
    }

    /// Brings an arc into the tree, or from one bound to the other.
    pub(super) fn pivot(&mut self, entering: Entering, network: &Network<'_>) {
        self.pivots += 1;
        let Entering { arc, price, rank } = entering;
        let shipping = network.shipping(arc);
        let decreases = shipping.is_some_and(|a| self.state[a] == AT_CAPACITY);
        let limit = network.capacity(arc);
        // Units go round the cycle: over the arc from `tail` to `head`, through the tree back.
        let (tail, head) = if decreases {
            (arc.to, arc.from)
        } else {
            (arc.from, arc.to)
        };
        let (mut step, mut leaving) = (limit, None);
        let (mut a, mut b) = (tail, head);
        while a != b {
            let on_tail = self.tree.depth(a) >= self.tree.depth(b);
            let node = if on_tail { a } else { b };
            let link = self.tree.link(node);
            // Down to the tail, up from the head.
            let gains = link.up != on_tail;
            let room = if gains {
                network.capacity(self.tree.arc(node)) - link.flow
            } else {
                link.flow
            };
            if room < step {
                step = room;
                leaving = Some((node, on_tail, gains));
            }
            let parent = self.tree.parent(node);
            if on_tail { a = parent } else { b = parent }
        }
        for (start, on_tail) in [(tail, true), (head, false)] {
            let mut node = start;
            while node != a {
                let link = self.tree.link(node);
                let flow = if link.up == on_tail {
                    link.flow - step
                } else {
                    link.flow + step
                };
                self.tree.set_flow(node, flow.without(network.dust));
                node = self.tree.parent(node);
            }
        }
        let Some((cut, on_tail, gains)) = leaving else {
            if let Some(a) = shipping {
                self.state[a] = -self.state[a];
            }
            return;
        };
        if let Some(a) = network.shipping(self.tree.arc(cut)) {
            self.state[a] = if gains { AT_CAPACITY } else { AT_ZERO };
        }
        if let Some(a) = shipping {
            self.state[a] = IN_TREE;
        }
        let (inside, outside) = if on_tail { (tail, head) } else { (head, tail) };
        let flow = if decreases { limit - step } else { step };
        let up = inside == arc.from;
        self.tree.graft(
            cut,
            inside,
            outside,
            Link {
                up,
                flow: flow.without(network.dust),
            },
        );
        if up {
            self.tree.shift(inside, -price, -rank);
        } else {
            self.tree.shift(inside, price, rank);
        }
    }

    /// Flows of the tree computed anew, without the rounding of the pivots, in the given order of the nodes.
    pub(super) fn settle(&mut self, order: &[usize], network: &Network<'_>) {
        let mut excess: Vec<Amount> = (0..network.hub).map(|node| network.supply(node)).collect();
        excess.push(Amount::ZERO);
        self.withdraw_full(&mut excess, network);
        for &node in order.iter().rev() {
            let through = excess[node];
            let up = self.tree.link(node).up;
            self.tree
                .set_flow(node, if up { through } else { -through });
            excess[self.tree.parent(node)] += through;
        }
    }

    /// Whether the problem's data put at most so many arcs of the tree out of their bounds; the nodes' order is the tree's.
    pub(super) fn nearly_fits(&self, most: usize, order: &[usize], network: &Network<'_>) -> bool {
        let mut excess: Vec<Amount> = (0..network.hub).map(|node| network.supply(node)).collect();
        excess.push(Amount::ZERO);
        self.withdraw_full(&mut excess, network);
        let mut misfits = 0;
        for &node in order.iter().rev() {
            let through = excess[node];
            let flow = if self.tree.link(node).up {
                through
            } else {
                -through
            };
            if flow < Amount::ZERO || flow > network.capacity(self.tree.arc(node)) {
                misfits += 1;
                if misfits > most {
                    return false;
                }
            }
            excess[self.tree.parent(node)] += through;
        }
        true
    }

    /// Takes what the arcs at capacity carry out of the supplies.
    fn withdraw_full(&self, excess: &mut [Amount], network: &Network<'_>) {
        let Some(capacity) = network.problem.capacity() else {
            return;
        };
        for (a, limit) in capacity.iter().enumerate() {
            if self.state[a] == AT_CAPACITY && limit.is_finite() {
                excess[a / network.regions] -= Amount::of(*limit);
                excess[network.warehouses + a % network.regions] += Amount::of(*limit);
            }
        }
    }

    /// What differs from zero by rounding among the reduced costs.
    pub(super) fn noise(&self, network: &Network<'_>) -> f64 {
        let largest = self.tree.price.iter().fold(0.0f64, |m, p| m.max(p.abs()));
        ROUNDING * network.dearest.max(largest)
    }
}
