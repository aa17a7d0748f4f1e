//! Examples at the end of the help of `hindsight games`.

pub(super) const MARKETPLACE: &str = "\
Examples:
  Who sells, at what price, and what each side earns:
    hindsight games marketplace --choke-price 1 --operator-cost 0.3 --seller-cost 0.2 --fee 0.15

  The seller's reply to a price and a stock:
    hindsight games marketplace --choke-price 1 --operator-cost 0.3 --seller-cost 0.2 --fee 0.15 --price 0.5 --stock 0.2

  Many cases, one JSON object a line:
    hindsight games marketplace --input cases.jsonl --json answers.jsonl";

pub(super) const BERTRAND: &str = "\
Examples:
  Prices, shares and payoffs when the seller pays 15 % of its revenue:
    hindsight games bertrand --retailer-cost 0.3 --seller-cost 0.2 --fee 0.15

  The best fee too, where the seller can stay out for 0.05:
    hindsight games bertrand --retailer-cost 0.3 --seller-cost 0.2 --fee 0.15 --outside-option 0.05 --report fee.html";

pub(super) const EQUILIBRIUM: &str = "\
Examples:
  Chicken: the correlated equilibrium with the greatest sum, and what each can earn in any:
    hindsight games equilibrium --payoffs '[[[6,2],[7,0]],[[6,7],[2,0]]]' --players '[\"Ann\",\"Bob\"]' --ranges

  All Nash equilibria of a game in two CSV files, with names in the first row and column:
    hindsight games equilibrium --payoffs @row.csv --payoffs @column.csv --concept nash

  The value of a zero-sum game, and of commitment:
    hindsight games equilibrium --payoffs '[[1,-1],[-1,1]]' --concept zero_sum
    hindsight games equilibrium --payoffs @game.nfg --concept stackelberg --leader 0";

pub(super) const REGRET: &str = "\
Examples:
  A log of rounds, {\"play\": 1, \"rewards\": [0.2, 0.9]} a line:
    hindsight games regret --log rounds.jsonl

  A few rounds by hand:
    hindsight games regret --plays '[0,1,1]' --rewards '[[1,0],[0,1],[1,0]]'";

pub(super) const PLAY: &str = "\
Examples:
  Hedge against itself for 1,000 rounds of rock, paper, scissors:
    hindsight games play --payoffs '[[0,-1,1],[1,0,-1],[-1,1,0]]'

  Two learners of unlike kinds, 20,000 rounds, the page with the curves:
    hindsight games play --payoffs @row.csv --payoffs @column.csv --learners rm_plus,blum_mansour --rounds 20000 --report play.html";

pub(super) const DEBATE: &str = "\
Examples:
  hindsight games debate
  hindsight games debate --debates 400 --advantage 0.2 --deviation 0.4 --report debate.html";

pub(super) const MAP: &str = "\
Examples:
  Who does what over both costs:
    hindsight games map regimes --output regimes.svg

  All figures into a folder:
    hindsight games map atlas --output figures";
