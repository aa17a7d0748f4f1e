//! The spanning tree of a basis.

use super::amount::Amount;
use super::network::{Arc, Network};

const NONE: usize = usize::MAX;

/// What hangs a node on its parent: the direction of the arc and what flows on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// From the node to its parent.
    pub(super) up: bool,
    pub(super) flow: Amount,
}

/// A spanning tree, rooted at the hub. Children are doubly linked lists, so that a subtree moves in the time of the path that turns round.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    parent: Vec<usize>,
    link: Vec<Link>,
    depth: Vec<usize>,
    first_child: Vec<usize>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Dual values: along an arc of the tree they rise by its cost.
    pub(super) price: Vec<f64>,
    /// The same for the costs that decide ties.
    pub(super) rank: Vec<i64>,
}

impl Tree {
    /// A tree of these parents (one a node without the hub); flows, depths and prices are not yet those of the problem.
    pub(super) fn new(parents: &[usize], network: &Network<'_>) -> Self {
        let hub = parents.len();
        let idle = Link {
            up: false,
            flow: Amount::ZERO,
        };
        let mut tree = Self {
            parent: vec![NONE; hub + 1],
            link: vec![idle; hub + 1],
            depth: vec![0; hub + 1],
            first_child: vec![NONE; hub + 1],
            next: vec![NONE; hub + 1],
            previous: vec![NONE; hub + 1],
            price: vec![0.0; hub + 1],
            rank: vec![0; hub + 1],
        };
        for (node, &parent) in parents.iter().enumerate().rev() {
            let up = if parent == hub {
                node < network.warehouses
            } else {
                node < parent
            };
            tree.hang(node, parent, Link { up, ..idle });
        }
        tree
    }

    pub(super) fn parent(&self, node: usize) -> usize {
        self.parent[node]
    }

    pub(super) fn depth(&self, node: usize) -> usize {
        self.depth[node]
    }

    pub(super) fn link(&self, node: usize) -> Link {
        self.link[node]
    }

    pub(super) fn set_flow(&mut self, node: usize, flow: Amount) {
        self.link[node].flow = flow;
    }

    /// The arc between a node and its parent.
    pub(super) fn arc(&self, node: usize) -> Arc {
        let (node, parent, up) = (node, self.parent[node], self.link[node].up);
        if up {
            Arc {
                from: node,
                to: parent,
            }
        } else {
            Arc {
                from: parent,
                to: node,
            }
        }
    }

    /// Whether the arc lies in the tree.
    pub(super) fn holds(&self, arc: Arc) -> bool {
        (self.parent[arc.from] == arc.to && self.link[arc.from].up)
            || (self.parent[arc.to] == arc.from && !self.link[arc.to].up)
    }

    fn unhang(&mut self, node: usize) {
        let (previous, next) = (self.previous[node], self.next[node]);
        if previous == NONE {
            self.first_child[self.parent[node]] = next;
        } else {
            self.next[previous] = next;
        }
        if next != NONE {
            self.previous[next] = previous;
        }
    }

    fn hang(&mut self, node: usize, parent: usize, link: Link) {
        self.parent[node] = parent;
        self.link[node] = link;
        self.previous[node] = NONE;
        self.next[node] = self.first_child[parent];
        if self.next[node] != NONE {
            self.previous[self.next[node]] = node;
        }
        self.first_child[parent] = node;
    }

    /// Hangs a node with all that is below it elsewhere; depths and prices below are left as they are.
    pub(super) fn rehang(&mut self, node: usize, parent: usize, link: Link) {
        self.unhang(node);
        self.hang(node, parent, link);
    }

    /// Cuts the subtree below `cut`'s arc off, turns it round so that `inside` is at its top, and hangs it on `outside`.
    pub(super) fn graft(&mut self, cut: usize, inside: usize, outside: usize, link: Link) {
        let (mut node, mut parent, mut link) = (inside, outside, link);
        loop {
            let (above, was) = (self.parent[node], self.link[node]);
            self.rehang(node, parent, link);
            if node == cut {
                return;
            }
            parent = node;
            link = Link {
                up: !was.up,
                flow: was.flow,
            };
            node = above;
        }
    }

    /// The node after this one in the order parents first, among those at and below `top`.
    #[inline]
    fn following(&self, mut node: usize, top: usize) -> Option<usize> {
        if self.first_child[node] != NONE {
            return Some(self.first_child[node]);
        }
        while node != top {
            if self.next[node] != NONE {
                return Some(self.next[node]);
            }
            node = self.parent[node];
        }
        None
    }

    /// All nodes but the hub, parents first.
    pub(super) fn order(&self) -> Vec<usize> {
        let hub = self.parent.len() - 1;
        let mut order = Vec::with_capacity(hub);
        let mut node = hub;
        while let Some(next) = self.following(node, hub) {
            order.push(next);
            node = next;
        }
        order
    }

    /// Depths and prices at and below `top` from those above it; prices move by `price` and `rank`.
    pub(super) fn shift(&mut self, top: usize, price: f64, rank: i64) {
        let mut next = Some(top);
        while let Some(node) = next {
            self.depth[node] = self.depth[self.parent[node]] + 1;
            self.price[node] += price;
            self.rank[node] += rank;
            next = self.following(node, top);
        }
    }

    /// Computes depths and prices anew, in the given order; says whether a price changed.
    pub(super) fn refresh(&mut self, order: &[usize], network: &Network<'_>) -> bool {
        let mut changed = false;
        for &node in order {
            let parent = self.parent[node];
            let cost = network.cost(self.arc(node));
            let step = if self.link[node].up { -cost } else { cost };
            let price = self.price[parent] + step;
            changed |= price.to_bits() != self.price[node].to_bits();
            self.price[node] = price;
            self.depth[node] = self.depth[parent] + 1;
        }
        changed
    }
}
