//! A little script that a page can do without: tables are sorted by a click on a heading, one set of figures is picked from several, values are told at
//! once where the pointer is.

/// The script. It fetches nothing and keeps nothing; without it browsers tell values by themselves after a while.
pub(super) const SCRIPT: &str = "\
(()=>{const d=document,\
number=t=>{const m=t.replace(/[,\\s\\u202f\\u00a0]/g,'').replace(/\\u2212/g,'-').match(/[-+]?\\d+\\.?\\d*(e[-+]?\\d+)?/i);return m?parseFloat(m[0]):undefined},\
sort=(table,head,at)=>{const body=table.tBodies[0],numbers=head.classList.contains('n'),was=head.getAttribute('aria-sort'),\
up=was?was==='descending':!numbers,key=row=>{const t=row.cells[at].textContent;return numbers?number(t):t},\
order=(a,b)=>{const x=key(a),y=key(b);if(numbers)return !isFinite(x)?1:!isFinite(y)?-1:up?x-y:y-x;return up?x.localeCompare(y):y.localeCompare(x)};\
table.querySelectorAll('thead th').forEach(h=>h.removeAttribute('aria-sort'));\
head.setAttribute('aria-sort',up?'ascending':'descending');\
body.append(...[...body.rows].sort(order))};\
d.querySelectorAll('main table').forEach(table=>table.querySelectorAll('thead th').forEach((head,at)=>{head.tabIndex=0;head.title='Sort';\
head.onclick=()=>sort(table,head,at);head.onkeydown=e=>{if(e.key==='Enter')sort(table,head,at)}}));\
d.querySelectorAll('.choice').forEach(box=>{const sets=[...box.children],label=d.createElement('label'),pick=d.createElement('select');\
label.append(box.dataset.label,pick);sets.forEach((set,at)=>pick.add(new Option(set.dataset.name,at)));\
const show=()=>sets.forEach((set,at)=>set.hidden=at!=pick.value);pick.onchange=show;box.prepend(label);show()});\
const tip=d.createElement('div');tip.className='tip';tip.hidden=true;d.body.append(tip);\
d.addEventListener('pointermove',e=>{const mark=e.target.closest?e.target.closest('svg.chart *'):null,own=mark&&mark.querySelector(':scope>title');\
if(own){mark.dataset.tip=own.textContent;mark.setAttribute('aria-label',own.textContent);own.remove()}\
const words=mark&&mark.dataset.tip;tip.hidden=!words;if(!words)return;tip.textContent=words;\
tip.style.left=Math.max(4,Math.min(e.clientX+12,innerWidth-tip.offsetWidth-8))+'px';tip.style.top=e.clientY+18+'px'});\
})();";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small_and_fetches_nothing() {
        assert!(SCRIPT.len() < 3_500);
        for word in [
            "fetch", "XMLHttp", "import", "src=", "http", "eval", "storage", "cookie", "</",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
