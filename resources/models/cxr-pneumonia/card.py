def figures(r): return ''
def text(r): return ''
