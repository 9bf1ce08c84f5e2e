"""Exports networks of GluonCV's model zoo to ONNX and says which can be, how exact they are, and why others cannot.

    python scripts/bench/export_gluoncv.py --json export_gluoncv.json      # 38 networks, minutes on one core
    python scripts/bench/export_gluoncv.py --only ssd_512_mobilenet1.0_voc yolo3_mobilenet1.0_voc
    python scripts/bench/export_gluoncv.py --opset 17 --openvino           # a newer opset; in OpenVINO, too
    python scripts/bench/export_gluoncv.py --quick                         # three small ones: does it run?

The weights are random. Each file is compared with MXNet in onnxruntime; the difference is a part of the output's
greatest number. Of detectors, whose rows may come in any order, each row is compared with the nearest one of its class.
With --openvino, the file is also compared with itself in OpenVINO.
The exit code is 1 if a network cannot be exported.
"""
import argparse
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')   # before gluonzoo

from measuring import print_table

from gluonzoo.export import ExportError, to_onnx
from gluonzoo.export.gluoncv import gluoncv_network
from gluonzoo.export.tracing import each_difference, examples, rows_difference

import mxnet as mx  # isort: skip

# Of each kind of network one, at the size of GluonCV unless it is given.
NETWORKS = {
    'resnet50_v1': None, 'resnet50_v1b': None, 'resnet50_v1d': None, 'resnet50_v2': None, 'mobilenet1.0': None,
    'mobilenetv2_1.0': None, 'mobilenetv3_large': None, 'mobilenetv3_small': None, 'squeezenet1.0': None,
    'densenet121': None, 'vgg16': None, 'alexnet': None, 'googlenet': None, 'se_resnext50_32x4d': None,
    'resnest50': None, 'cifar_resnet20_v1': None, 'cifar_wideresnet16_10': None, 'cifar_resnext29_16x64d': None,
    'inceptionv3': None, 'xception': None, 'ssd_300_vgg16_atrous_voc': None, 'ssd_512_resnet50_v1_voc': None,
    'ssd_512_mobilenet1.0_voc': None, 'yolo3_darknet53_voc': None, 'yolo3_mobilenet1.0_voc': None,
    'center_net_resnet18_v1b_voc': None, 'center_net_resnet18_v1b_dcnv2_voc': None, 'fcn_resnet50_voc': None,
    'psp_resnet50_ade': None, 'deeplab_resnet50_ade': None, 'danet_resnet50_citys': None, 'icnet_resnet50_citys': None,
    'simple_pose_resnet18_v1b': None, 'mobile_pose_resnet18_v1b': None, 'alpha_pose_resnet101_v1b_coco': None,
    'faster_rcnn_resnet50_v1b_voc': (320, 400), 'mask_rcnn_resnet50_v1b_coco': (320, 400),
    'i3d_resnet50_v1_kinetics400': (112, 112),
}
QUICK = {'cifar_resnet20_v1': None, 'ssd_512_mobilenet1.0_voc': (256, 256), 'yolo3_mobilenet1.0_voc': (128, 128)}


def export(name, size, folder, opset, openvino):
    """A row of the table, a dict."""
    mx.random.seed(0)
    row = {'network': name, 'input': '', 'difference': None, 'OpenVINO': None, 'MB': None, 'seconds': None,
           'why not': ''}
    path = folder / 'network.onnx'
    start = time.perf_counter()
    try:
        found = gluoncv_network(name, size=size)
        row['input'] = ' x '.join(map(str, found.inputs['data']))
        start = time.perf_counter()
        differences = to_onnx(found.net, path, found.inputs, found.outputs, objects=found.objects, opset=opset,
                              metadata=found.metadata)
        row.update(difference=max(differences.values()), MB=path.stat().st_size / 1e6)
    except ExportError as error:
        row['why not'] = str(error)
    row['seconds'] = time.perf_counter() - start
    if openvino and not row['why not']:
        from gluonzoo.export.openvino import check_openvino

        try:
            compare = rows_difference if found.objects else each_difference
            row['OpenVINO'] = max(check_openvino(path, examples(found.inputs), tolerance=float('inf'),
                                                 compare=compare).values())
        except ExportError as error:
            row['why not in OpenVINO'] = str(error)
    return row


def said(difference):
    return 'no' if difference is None else f'{difference:.1e}'


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--only', nargs='+', metavar='NETWORK', help='these, at the sizes of the whole table')
    parser.add_argument('--opset', type=int, default=13)
    parser.add_argument('--openvino', action='store_true', help='compares each file in OpenVINO, too')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--json', type=Path, metavar='FILE', help='also writes the rows to a file')
    return parser.parse_args(arguments)


def main(arguments=None):
    args = parse(arguments)
    networks = {name: NETWORKS.get(name) for name in args.only} if args.only else QUICK if args.quick else NETWORKS
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in networks.items():
            rows.append(export(name, size, Path(folder), args.opset, args.openvino))
            gc.collect()
            row = rows[-1]
            print(name, row['why not'] or f'{row["difference"]:.1e}', flush=True)
    print_table(['network', 'input', 'difference', 'in OpenVINO', 'MB', 'seconds'],
                *([row['network'], row['input'], said(row['difference']), said(row['OpenVINO']),
                   '' if row['MB'] is None else f'{row["MB"]:.1f}', f'{row["seconds"]:.1f}'] for row in rows))
    done = [row for row in rows if not row['why not']]
    print(f'\n{len(done)} of {len(rows)} networks can be exported'
          + (f'; the worst difference is {max(row["difference"] for row in done):.1e}' if done else ''))
    for row in rows:
        for kind in ('why not', 'why not in OpenVINO'):
            if row.get(kind):
                print(f'{row["network"]}: {row[kind]}')
    if args.json:
        args.json.write_text(json.dumps({'opset': args.opset, 'rows': rows}, indent=1) + '\n')
    return int(len(done) < len(rows))


if __name__ == '__main__':
    sys.exit(main())
