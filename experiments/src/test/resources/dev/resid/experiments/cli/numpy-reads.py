# Reads what commands wrote in every format and compares the values.
import sys, json
from pathlib import Path
try:
    import numpy as np
except ImportError:
    sys.exit(77)
def safetensors(path):  # eight bytes of length, a JSON header, then the values
    data = open(path, 'rb').read()
    n = int.from_bytes(data[:8], 'little')
    types = {'F32': '<f4', 'F64': '<f8'}
    return {name: np.frombuffer(data, types[t['dtype']],
                count=int(np.prod(t['shape'])), offset=8 + n + t['data_offsets'][0]
            ).reshape(t['shape'])
            for name, t in json.loads(data[8:8 + n]).items() if name != '__metadata__'}
try:
    from safetensors.numpy import load_file
except ImportError:  # the definition above is then the only reader
    load_file = safetensors
run, npz, npy, single, gradients, features, csv, both = sys.argv[1:]
a = safetensors(run)
b = np.load(npz)
assert sorted(a) == sorted(b.files) == ['blocks.0.hook_resid_pre', 'logits'], b.files
for name in a:
    assert b[name].dtype == np.float32 and np.array_equal(a[name], b[name]), name
assert a['logits'].shape == (2, 3, 257) and np.isfinite(a['logits']).all()
assert np.array_equal(np.load(npy), safetensors(single)['logits'])
g = np.load(gradients)
assert g['loss'].shape == () and g['loss'].dtype == np.float64 and g['loss'] > 0
assert g['transformer.wte.weight'].shape == (257, 16), sorted(g.files)[:5]
f = np.load(features)
assert f.shape == (6, 48) and (f != 0).any(axis=1).all()
table = np.genfromtxt(csv, delimiter=',', names=True, dtype=None, encoding='utf-8')
assert len(table) > 0 and len(table.dtype.names) > 3, table.dtype.names
stems = sorted(p.with_suffix('') for p in Path(both).glob('*.safetensors'))
assert len(stems) == 4, stems
for stem in stems:
    a, b = load_file(f'{stem}.safetensors'), np.load(f'{stem}.npz')
    assert sorted(a) == sorted(b.files) == sorted(safetensors(f'{stem}.safetensors')), stem
    for name in a:
        assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape, name
        assert np.array_equal(a[name], b[name]), (stem, name)
for path in Path(csv).parent.rglob('*.csv'):
    text = np.loadtxt(path, dtype=str, delimiter=',', quotechar='"', comments=None)
    columns = json.loads(path.with_suffix('.json').read_text('utf-8'))['columns']
    assert list(np.atleast_2d(text)[0]) == [c['name'] for c in columns], path
assert json.loads((Path(csv).parent / 'run.json').read_text('utf-8'))['sha256']
print('agreed')
