"""GhostNet: what its classifiers predict. (How they are trained is not here yet.)

The official weights are of ImageNet: 1000 classes, 224 x 224, of photos of 256 the middle.
"""
TASK = 'classification'
PAGE = None
MODELS = ('ghostnet_0_5', 'ghostnet_1_0', 'ghostnet_1_3')


def prediction(model):
    from gluoncv.data import ImageNet1kAttr

    names = list(ImageNet1kAttr().classes)
    return {'name': TASK, 'net': {'name': model, 'classes': len(names)}, 'class_names': names}
