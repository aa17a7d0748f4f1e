//! The style sheet of the report page; colours come from the charts' variables. Captions may be wider than their table: a margin that is negative frees them of its width.

/// Type set for reading: a serif for words, lining figures in tables, rules like those of a journal's tables.
pub(super) const CSS: &str = "\
*{box-sizing:border-box}\
html{scroll-behavior:smooth}\
body{margin:0;background:var(--ground);color:var(--t);font:17px/1.55 Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif}\
header,.frame,footer{max-width:1080px;margin:0 auto;padding:0 24px}\
header{padding-top:40px}\
h1{font-size:30px;line-height:1.2;margin:0 0 6px;font-weight:600}\
.lead{margin:0 0 20px;color:var(--m);font-size:18px;max-width:60em}\
.frame{display:grid;grid-template-columns:190px minmax(0,1fr);gap:40px;border-top:1px solid var(--grid);padding-top:24px}\
nav{position:sticky;top:24px;align-self:start;font:14px/1.4 Helvetica,Arial,'Liberation Sans',sans-serif}\
nav ol{list-style:none;margin:0;padding:0}\
nav li{margin:0 0 9px}\
nav a{color:var(--m);text-decoration:none}\
nav a:hover,nav a:focus{color:var(--t);text-decoration:underline}\
a{color:var(--s0)}\
h2{font-size:21px;line-height:1.25;margin:0 0 10px;font-weight:600}\
section{margin:0 0 44px;scroll-margin-top:20px}\
p{margin:0 0 14px;max-width:44em}\
header .note{margin-bottom:10px;max-width:60em}\
.note{border-left:3px solid var(--s0);padding:2px 0 2px 14px;font-size:18px}\
figure{margin:20px 0 26px;container-type:inline-size}\
.plot{width:100%}\
svg.chart{display:block;width:100%;height:auto}\
figcaption,caption{font-size:14.5px;line-height:1.45;color:var(--t);text-align:left;max-width:50em}\
figcaption{margin-top:8px}\
caption{padding:0 0 8px;caption-side:top;max-width:min(50em,100cqw);margin-right:-50em}\
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:8px 28px}\
.pair figure{margin:12px 0;min-width:0}\
.wide{container-type:inline-size;overflow-x:auto;margin:18px 0 26px;\
background:linear-gradient(to right,var(--ground) 40%,transparent) left/40px 100% no-repeat local,linear-gradient(to left,var(--ground) 40%,transparent) right/40px 100% no-repeat local,\
linear-gradient(to right,color-mix(in srgb,var(--m) 45%,transparent),transparent) left/10px 100% no-repeat scroll,linear-gradient(to left,color-mix(in srgb,var(--m) 45%,transparent),transparent) right/10px 100% no-repeat scroll}\
table{border-collapse:collapse;font:13.5px/1.4 Helvetica,Arial,'Liberation Sans',sans-serif;border-top:1.5px solid var(--t);border-bottom:1.5px solid var(--t)}\
caption{font-family:Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif}\
th,td{padding:5px 14px 5px 0;text-align:left;vertical-align:top;font-weight:400}\
thead th{border-bottom:1px solid var(--t);vertical-align:bottom;font-weight:600}\
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
thead .n{white-space:normal}\
th:last-child,td:last-child{padding-right:0}\
tbody th,.whole,.date{white-space:nowrap}.long{min-width:17em}tbody th.long{white-space:normal}\
tbody tr:hover{background:var(--grid)}\
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(260px,1fr));gap:0 32px;margin:0 0 18px;font:14px/1.45 Helvetica,Arial,'Liberation Sans',sans-serif}\
.facts div{border-bottom:1px solid var(--grid);padding:6px 0;break-inside:avoid}\
.facts dt{color:var(--m)}\
.facts dd{margin:0;overflow-wrap:anywhere}.facts span{white-space:nowrap}\
footer{color:var(--m);font-size:14px;padding-top:10px;padding-bottom:40px}\
@media (max-width:860px){.frame{grid-template-columns:minmax(0,1fr);gap:18px}nav{position:static}nav ol{display:flex;flex-wrap:wrap;gap:4px 18px}nav li{margin:0}}\
thead th[tabindex]{cursor:pointer}thead th[aria-sort=descending]::after{content:' \\2193'}thead th[aria-sort=ascending]::after{content:' \\2191'}\
.tip{position:fixed;z-index:9;max-width:300px;padding:4px 8px;border-radius:3px;background:var(--t);color:var(--ground);font:13px/1.35 Helvetica,Arial,'Liberation Sans',sans-serif;pointer-events:none}\
.narrower{display:none}\
.choice>label{display:block;margin:0 0 6px;font:14px/1.45 Helvetica,Arial,'Liberation Sans',sans-serif;color:var(--m)}\
.choice select{font:inherit;color:var(--t);background:var(--ground);border:1px solid var(--m);border-radius:3px;padding:3px 6px;margin-left:8px;max-width:100%}\
@media screen and (max-width:640px){header,.frame,footer{padding-left:16px;padding-right:16px}.long{min-width:11em}td:nth-child(n+4).long{min-width:30em}.pair{grid-template-columns:minmax(0,1fr)}}\
@page{margin:14mm 10mm}@media print{nav,footer,.tip,.choice>label{display:none}header{padding-top:0}h2,caption,.note{break-after:avoid}h2+p{break-after:avoid}p{break-inside:avoid}thead{display:table-header-group}tr{break-inside:avoid}svg.chart{max-height:240mm}header,.frame,footer{padding-left:0;padding-right:0;max-width:none}.wide{background:none}.frame{display:block}body{font-size:11pt}figure,.wide,.facts{break-inside:avoid}section{margin-bottom:16px}.facts{grid-template-columns:1fr 1fr;gap:0 20px;font-size:7.5pt;margin-bottom:0}.facts div{padding:3px 0}table{font-size:8.5pt}td,th{padding-right:8px}tbody th,.whole{white-space:normal}.long,td:nth-child(n+4).long{min-width:0}}\
";

/// Where a figure has less room than nine tenths of its drawing's width, the drawing for narrow places stands in.
pub(super) fn fitted(width: u32) -> String {
    format!(
        "@container (max-width:{}px){{.w{width}.wider{{display:none}}.w{width}.narrower{{display:block}}}}",
        width - width / 10
    )
}
