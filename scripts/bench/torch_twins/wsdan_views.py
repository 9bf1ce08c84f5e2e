"""WS-DAN's views of pictures in PyTorch, picture by picture, as one would write them there."""
import torch
from torch.nn import functional as F


def resized(maps, size):
    """[B, C, h, w] -> [B, C, *size]"""
    return F.interpolate(maps, size, mode='bilinear', align_corners=True)


def attention_box(chosen, theta, padding, size):
    """x0, y0, x1, y1 around what a map [h, w] looks at in a picture of this (height, width)."""
    rows, columns = torch.nonzero(resized(chosen[None, None], size)[0, 0] >= theta * chosen.max(), as_tuple=True)
    (y0, y1), (x0, x1) = ((max(int(places.min().item() - padding * side), 0),
                           min(int(places.max().item() + padding * side), side))
                          for places, side in zip((rows, columns), size))
    return x0, y0, x1, y1


def attention_crops(images, chosen, thetas, padding):
    """Crops [B, C, H, W] and boxes, a list, of images [B, C, H, W], maps [B, h, w] and a theta for each."""
    size = images.shape[2:]
    boxes = [attention_box(one, theta, padding, size) for one, theta in zip(chosen, thetas)]
    crops = [resized(image[None, :, y0:y1, x0:x1], size) for image, (x0, y0, x1, y1) in zip(images, boxes)]
    return torch.cat(crops), boxes


def attention_drops(images, chosen, thetas):
    """Images [B, C, H, W] without what maps [B, h, w] look at."""
    kept = [resized(one[None, None], images.shape[2:]) < theta * one.max() for one, theta in zip(chosen, thetas)]
    return images * torch.cat(kept)


@torch.no_grad()
def draw(attention):
    """Numbers of two maps for each picture of attention [B, M, h, w], and their thetas: [B, 2], [B], [B]"""
    weights = (attention.mean((2, 3)) + 1e-12).sqrt()
    thetas = torch.rand(2, len(attention))
    return torch.multinomial(weights, 2, replacement=True), .4 + .2 * thetas[0], .2 + .3 * thetas[1]


@torch.no_grad()
def training_views(images, attention, numbers, crop_thetas, drop_thetas):
    """Crops and drops of a training step, by what was drawn."""
    for_crop, for_drop = (torch.stack([maps[number] for maps, number in zip(attention, column)])
                          for column in numbers.t())
    return attention_crops(images, for_crop, crop_thetas, .1)[0], attention_drops(images, for_drop, drop_thetas)


@torch.no_grad()
def refined_view(images, attention):
    """The crop that a prediction looks at, and its boxes."""
    return attention_crops(images, attention.mean(1), [.1] * len(images), .05)


@torch.no_grad()
def two_stage(net, images):
    """Probabilities, raw and refined logits, and boxes. `net` makes logits, features and attention."""
    raw, _, attention = net(images)
    crops, boxes = refined_view(images, attention)
    refined = net(crops)[0]
    return ((raw + refined) / 2).softmax(1), raw, refined, boxes
