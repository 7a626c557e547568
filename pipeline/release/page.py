"""What all static pages share: content policy and style. Text is escaped by jinja2's autoescape."""

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #d5dbe3; }
h3 { font-size: 1rem; margin-bottom: .3rem; }
table { border-collapse: collapse; margin: .6rem 0; } th, td { padding: .25rem .7rem; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #8795a8; } tbody tr:nth-child(even) { background: #f4f6f9; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } code { font-size: .92em; } nav { font-size: .9em; }
.note { color: #56637a; } .flag { color: #9a3412; font-weight: 600; }
"""
