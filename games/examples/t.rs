use hindsight_games::{Game, equilibrium::*};
use std::time::Instant;
fn u(seed: u64, n: usize) -> Vec<f64> {
    (1..=n as u64).map(|i| { let mut z = i.wrapping_mul(0x9E3779B97F4A7C15).wrapping_add(seed);
    z ^= z>>30; z=z.wrapping_mul(0xBF58476D1CE4E5B9); z^=z>>27; z=z.wrapping_mul(0x94D049BB133111EB); z^=z>>31; (z>>11) as f64 / 2f64.powi(53)}).collect()
}
fn main(){ more();
    for n in [20,30] {
        let g = Game::new(vec![n,n], vec![u(1,n*n),u(2,n*n)]).unwrap();
        for c in [Concept::Correlated, Concept::CoarseCorrelated] {
            let t=Instant::now();
            let e = correlated_equilibrium(&g,c,&Objective::Welfare).unwrap();
            println!("{n} {c:?} {:.4} s value {:.9} gap {:.1e} inf {:.1e} pivots {} support {}", t.elapsed().as_secs_f64(), e.value, e.gap, e.infeasibility, e.pivots, e.joint.iter().filter(|p| **p>0.0).count());
        }
        for o in [Objective::MaxMin, Objective::Player(0), Objective::AgainstPlayer(1), Objective::Linear(vec![0.0;n*n])] {
            let t=Instant::now();let e = correlated_equilibrium(&g,Concept::Correlated,&o).unwrap();
            println!("   {:.4} s value {:.9} gap {:.1e} inf {:.1e} pivots {}", t.elapsed().as_secs_f64(), e.value, e.gap, e.infeasibility, e.pivots);
        }
    }
    for k in [10usize,20,30] {
        // bertrand unit demand, prices 1/k .. 1, split ties
        let g = Game::from_fn(&[k,k], |i, s| { let (p,q)=(s[i],s[1-i]); let pr=(p+1) as f64/k as f64; if p<q {pr} else if p==q {pr/2.0} else {0.0} }).unwrap();
        for c in [Concept::Correlated, Concept::CoarseCorrelated] {
            let t=Instant::now();
            let e = correlated_equilibrium(&g,c,&Objective::Welfare).unwrap();
            println!("bertrand {k} {c:?} {:.4} s value {:.9} gap {:.1e} inf {:.1e} pivots {}", t.elapsed().as_secs_f64(), e.value, e.gap, e.infeasibility, e.pivots);
        }
    }
}
#[test] fn x() {}
pub fn more() {
    for n in [100usize,300] { let a=u(5,n*n); let m: Vec<Vec<f64>> = a.chunks(n).map(|r| r.to_vec()).collect();
      let t=Instant::now(); let z=solve_zero_sum(&m).unwrap(); println!("zero-sum {n} {:.4} {:.9} gap {:e}", t.elapsed().as_secs_f64(), z.value, z.duality_gap); }
    let n=30; let g = Game::new(vec![n,n], vec![u(1,n*n),u(2,n*n)]).unwrap();
    for f in [FollowerTies::ForLeader, FollowerTies::AgainstLeader] { let t=Instant::now(); let z=stackelberg(&g,f).unwrap(); println!("stackelberg {:.5} {:.9}", t.elapsed().as_secs_f64(), z.value);}
    let n=6; let g = Game::new(vec![n,n], vec![u(1,n*n),u(2,n*n)]).unwrap();
    let t=Instant::now(); let z=nash_equilibria(&g).unwrap(); println!("nash {:.5} {}", t.elapsed().as_secs_f64(), z.len());
}
