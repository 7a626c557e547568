def parse(text): return {}
