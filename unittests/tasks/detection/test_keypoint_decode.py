"""Decoding keypoints: by hand, and against slow twins that look at one cell, pair, box after the other."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.tasks.detection.keypoint_decode import CenterCheck, KeypointDecoder, soft_nms

IMAGE = [0, 0, 4, 4, 128, 96]   # a view of an image of 128 x 96 pixels, 4 to a cell: 32 x 24 cells


# -- slow twins ------------------------------------------------------------------------------------------------------

def slow_keypoints(heat, offsets, top):
    """(label, score, cell, x, y) of the best peaks."""
    classes, height, width = heat.shape
    found = []
    for label in range(classes):
        for row in range(height):
            for column in range(width):
                around = heat[label, max(row - 1, 0):row + 2, max(column - 1, 0):column + 2]
                if heat[label, row, column] == around.max():
                    x, y = offsets[:, row, column] + (column, row)
                    found.append((label, 1 / (1 + np.exp(-heat[label, row, column])), (row, column), x, y))
    return sorted(found, key=lambda keypoint: -keypoint[1])[:top]


def slow_decode(heads, view, top, tag_distance):
    """([score, xmin, ymin, xmax, ymax, label] of every box, [x, y, label, score] of every centre), best first."""
    tl_heat, br_heat, ct_heat, tl_tag, br_tag, tl_offset, br_offset, ct_offset = heads
    x0, y0, dx, dy, width, height = view
    boxes = []
    for label, score, tl_cell, x1, y1 in slow_keypoints(tl_heat, tl_offset, top):
        for other, other_score, br_cell, x2, y2 in slow_keypoints(br_heat, br_offset, top):
            if label != other or abs(tl_tag[0][tl_cell] - br_tag[0][br_cell]) > tag_distance or x2 < x1 or y2 < y1:
                continue
            left, right = sorted((x0 + dx * x1, x0 + dx * x2))
            upper, lower = sorted((y0 + dy * y1, y0 + dy * y2))
            if (left <= -1.25 * abs(dx) or upper <= -1.25 * abs(dy) or right >= width + 1.25 * abs(dx)
                    or lower >= height + 1.25 * abs(dy)):
                continue
            boxes.append([(score + other_score) / 2, max(left, 0), max(upper, 0), min(right, width), min(lower, height),
                          label])
    centers = [[min(max(x0 + dx * x, 0), width), min(max(y0 + dy * y, 0), height), label, score]
               for label, score, _, x, y in slow_keypoints(ct_heat, ct_offset, top)]
    return sorted(boxes, key=lambda box: -box[0]), centers


def slow_check(box, score, label, centers):
    xmin, ymin, xmax, ymax = box
    share = 1 / 3 if (xmax - xmin) * (ymax - ymin) <= 22500 else 2 / 5
    for x, y, center_label, center_score in centers:
        if (center_label == label and xmin + share * (xmax - xmin) < x < xmax - share * (xmax - xmin)
                and ymin + share * (ymax - ymin) < y < ymax - share * (ymax - ymin)):
            return (2 * score + center_score) / 3
    return -1


def slow_soft_nms(boxes, scores, labels, sigma, least, corner_scores=None):
    """(number, score, box) of what is left, class by class; the box is a mean if there are scores of corners."""
    found = []
    for label in set(labels):
        left = {i: scores[i] for i in range(len(boxes)) if labels[i] == label}
        while left:
            best = max(left, key=left.get)
            score = left.pop(best)
            a = boxes[best]
            low, high = corner_scores[best] if corner_scores else (1, 1)
            weights, sums = np.array([low, low, high, high]), np.array(a) * [low, low, high, high]
            for i in list(left):
                b = boxes[i]
                width, height = min(a[2], b[2]) - max(a[0], b[0]) + 1, min(a[3], b[3]) - max(a[1], b[1]) + 1
                if width > 0 and height > 0:
                    areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
                    factor = np.exp(-(width * height / (sum(areas) - width * height)) ** 2 / sigma)
                    left[i] *= factor
                    if corner_scores:
                        (low, high), share = corner_scores[i], (1 - factor) ** 10
                        weights = weights + share * np.array([low, low, high, high])
                        sums = sums + share * np.array([low, low, high, high]) * b
                    if left[i] < least:
                        del left[i]
            found.append((best, score, sums / weights))
    return sorted(found, key=lambda pair: -pair[1])


# -- pairs of corners ------------------------------------------------------------------------------------------------

def random_heads(batch, classes, height=24, width=32):
    rng = np.random.default_rng(0)
    shapes = [(batch, c, height, width) for c in (classes, classes, classes, 1, 1, 2, 2, 2)]
    heads = [rng.normal(-1, 2, shape) for shape in shapes[:3]]
    for heat in heads:
        heat[:, 3:] -= 4   # or corners of one class would hardly meet
    heads += [rng.normal(0, .3, shape) for shape in shapes[3:5]]
    return [head.astype('float32') for head in heads + [rng.uniform(0, 1, shape) for shape in shapes[5:]]]


def decode(decoder, heads, views):
    return [out.asnumpy() for out in decoder([mx.nd.array(head) for head in heads], mx.nd.array(views))]


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('classes', [3, 16])
def test_pairs_against_slow_twin(classes, hybridize):
    """Three views: the image, mirrored, and a part of it enlarged that begins outside."""
    views = [IMAGE, [128, 0, -4, 4, 128, 96], [-10, -6, 2.5, 2, 64, 40]]
    heads = random_heads(3, classes)
    decoder = KeypointDecoder(classes, top=20, pairs=99)
    if hybridize:
        decoder.hybridize(static_alloc=True)
    boxes, scores, labels, centers, _ = decode(decoder, heads, views)
    assert boxes.shape == (3, 99, 4) and scores.shape == labels.shape == (3, 99) and centers.shape == (3, 20, 4)
    for i, view in enumerate(views):
        wanted, wanted_centers = slow_decode([head[i] for head in heads], view, 20, .5)
        found = np.concatenate([scores[i, :, None], boxes[i], labels[i, :, None]], 1)[scores[i] > -1]
        assert 9 < len(wanted) == len(found) < 99
        assert (np.diff(found[:, 0]) <= 0).all()
        # Scores that differ by rounding alone may change places.
        assert np.allclose(*[np.array(sorted(rows, key=lambda row: [round(float(x), 3) for x in row[1:]]))
                             for rows in (found, wanted)], atol=1e-4)
        assert np.allclose(centers[i], wanted_centers, atol=1e-4)


def scene():
    """Heads that see nothing; a function that lights a keypoint of a kind."""
    heads = [np.full((1, c, 24, 32), fill, 'float32') for c, fill in
             ((2, -9), (2, -9), (2, -9), (1, 0), (1, 0), (2, .5), (2, .5), (2, .5))]
    for heat in heads[:3]:   # no plateaus, where every cell would be a peak
        heat -= np.arange(24 * 32, dtype='float32').reshape((24, 32)) * 1e-3

    def light(kind, label, column, row, logit=2.0, tag=0.0):
        heads[kind][0, label, row, column] = logit
        if kind < 2:
            heads[3 + kind][0, 0, row, column] = tag

    return heads, light


def found_boxes(heads, view=IMAGE, least=.5):
    boxes, scores, labels, *_ = decode(KeypointDecoder(2, top=9), heads, [view])
    kept = scores[0] > least
    return [(int(label), *box) for label, box in zip(labels[0, kept], boxes[0, kept].round(3).tolist())]


def test_one_box_by_hand():
    heads, light = scene()
    light(0, 1, 5, 3, logit=0)
    light(1, 1, 20, 15, logit=1)
    light(2, 1, 12, 9)
    boxes, scores, labels, centers, _ = decode(KeypointDecoder(2, top=9), heads, [IMAGE])
    assert boxes[0, 0].tolist() == [22, 14, 82, 62]
    assert scores[0, 0] == pytest.approx((.5 + 1 / (1 + np.exp(-1))) / 2) and labels[0, 0] == 1
    assert centers[0, 0].tolist() == pytest.approx([50, 38, 1, 1 / (1 + np.exp(-2))])


def test_places_beyond_what_float32_can_count():
    """One row more than 2^24 places has, and a peak at an odd column of it."""
    width = 2 ** 20
    heads = [np.full((1, c, 17, width), -9 * (c == 2), 'float32') for c in (2, 2, 2, 1, 1)]
    heads[0][0, 0, 16, 5] = heads[1][0, 0, 16, 11] = 2
    decoder = KeypointDecoder(2, top=2)
    decoder.initialize()
    maps = [mx.nd.array(head) for head in heads] + 3 * [mx.nd.zeros((1, 2, 17, width))]
    boxes, scores, *_ = decoder(maps, mx.nd.array([[0, 0, 1, 1, width, 17]]))
    assert scores[0, 0].asscalar() > .8 and boxes[0, 0].asnumpy().tolist() == [5, 16, 11, 16]


@pytest.mark.parametrize('change', [
    dict(label=0),           # of another class
    dict(tag=.6),            # of another object
    dict(column=4),          # left of the top-left corner
    dict(row=2),             # above it
])
def test_corners_that_make_no_box(change):
    heads, light = scene()
    light(0, 1, 5, 3, tag=0)
    light(1, **{**dict(label=1, column=20, row=15, tag=.4), **change})
    assert not found_boxes(heads)


def test_neighbours_of_a_peak_are_no_keypoints():
    heads, light = scene()
    light(0, 0, 5, 3)
    light(1, 0, 20, 15, logit=4)
    light(1, 0, 21, 15, logit=3)
    light(1, 0, 23, 15, logit=3)
    assert found_boxes(heads) == [(0, 22, 14, 82, 62), (0, 22, 14, 94, 62)]


def test_keypoints_at_the_edges_of_the_map():
    heads, light = scene()
    light(0, 0, 0, 0)
    light(1, 0, 31, 23)
    assert found_boxes(heads) == [(0, 2, 2, 126, 94)]


@pytest.mark.parametrize('view, box', [
    (IMAGE, [22, 14, 82, 62]),
    ([128, 0, -4, 4, 128, 96], [46, 14, 106, 62]),   # mirrored
    ([0, 0, 4, 4, 78, 60], [22, 14, 78, 60]),        # sticks out by less than 5 pixels: clipped
    ([0, 0, 4, 4, 77, 60], None),                    # by 5 pixels: gone
    ([-26, 0, 4, 4, 128, 96], [0, 14, 56, 62]),
    ([-27, 0, 4, 4, 128, 96], None),
    ([0, -18, 4, 4, 128, 96], [22, 0, 82, 44]),
    ([0, -19, 4, 4, 128, 96], None),
    ([0, 0, 2, 2, 41, 31], [11, 7, 41, 31]),         # enlarged twice
])
def test_views(view, box):
    heads, light = scene()
    light(0, 0, 5, 3)
    light(1, 0, 20, 15)
    assert found_boxes(heads, view) == ([(0, *box)] if box else [])


def test_what_is_no_peak_is_never_paired():
    """A slope has a single peak, so there is nothing to fill 9 places with."""
    heads, _ = scene()
    for heat in heads[:2]:
        heat += 8
    boxes, scores, *_ = decode(KeypointDecoder(2, top=9), heads, [IMAGE])
    assert (scores[0] > -1).sum() <= 4   # two classes, two corners at the same cell


@pytest.mark.parametrize('classes, height', [(1, 8), (2, 32), (32, 32)])
def test_maps_with_few_rows(classes, height):
    """Fewer than keypoints are wanted; as many as are searched, or a little more, with the 70 of the paper."""
    heads = random_heads(1, classes, height, 16)
    boxes, scores, *_ = decode(KeypointDecoder(classes), heads, [[0, 0, 4, 4, 64, 4 * height]])
    wanted, _ = slow_decode([head[0] for head in heads], [0, 0, 4, 4, 64, 4 * height], 70, .5)
    valid = scores[0] > -1
    assert 3 < len(wanted) == valid.sum() < 1000
    assert np.allclose(scores[0, valid], [box[0] for box in wanted], atol=1e-5)


@pytest.mark.parametrize('slopes, labels', [([], {5}), ([0, 1], {0, 1, 5}), ([0, 1, 2], {0, 1, 2})])
def test_only_the_best_rows_are_searched_where_there_are_many(slopes, labels):
    """Ten times as many as keypoints are wanted, 90 of 512: a peak below all of three slopes of 32 rows is not found.
    """
    heads = [np.full((1, c, 32, 32), 0, 'float32') for c in (16, 16, 16, 1, 1, 2, 2, 2)]
    rows, columns = np.mgrid[:32, :32]
    heads[2][:] = -20 - .01 * rows - .001 * columns
    heads[2][0, slopes] += 25
    heads[2][0, 5, 10, 10] = 4
    *_, centers, _ = decode(KeypointDecoder(16, top=9), heads, [[0, 0, 4, 4, 128, 128]])
    assert set(centers[0, centers[0, :, 3] > .1, 2]) == labels


def test_corner_scores():
    heads, light = scene()
    light(0, 1, 5, 3, logit=0)
    light(1, 1, 20, 15, logit=1)
    *_, corner_scores = decode(KeypointDecoder(2, top=9), heads, [IMAGE])
    assert corner_scores.shape == (1, 81, 2)
    assert corner_scores[0, 0].tolist() == pytest.approx([.5, 1 / (1 + np.exp(-1))])


# -- centres ---------------------------------------------------------------------------------------------------------

def check(boxes, scores, labels, centers):
    return CenterCheck()(*[mx.nd.array([x]) for x in (boxes, scores, labels, centers)])[0].asnumpy().tolist()


@pytest.mark.parametrize('x, y, label, inside', [
    (45, 45, 1, True), (45, 45, 0, False), (31, 59, 1, True), (29, 45, 1, False), (61, 45, 1, False),
    (45, 29, 1, False), (45, 61, 1, False)])
def test_center_of_a_small_box(x, y, label, inside):
    """The middle third of 0..90 is 30..60."""
    assert check([[0, 0, 90, 90]], [.6], [1], [[x, y, label, .9]]) == pytest.approx([.7 if inside else -1])


def test_what_is_no_peak_is_no_center():
    """Such places have a score of 0."""
    assert check([[0, 0, 90, 90]], [.6], [1], [[45, 45, 1, 0]]) == [-1]
    assert check([[0, 0, 90, 90]], [.6], [1], [[45, 45, 1, 0], [40, 45, 1, .3]]) == pytest.approx([.5])


@pytest.mark.parametrize('size, edge, inside', [(150, 51, True), (151, 51, False), (200, 79, False), (200, 81, True)])
def test_middle_of_a_large_box_is_a_fifth(size, edge, inside):
    """150 x 150 = 22500 is small still."""
    assert check([[0, 0, size, size]], [.6], [0], [[edge, edge, 0, .9]]) == pytest.approx([.7 if inside else -1])


def test_first_center_that_fits_counts_and_rejected_boxes_stay_rejected():
    centers = [[5, 5, 0, .9], [45, 45, 1, .8], [45, 45, 0, .3], [46, 46, 0, .2]]
    assert check([[0, 0, 90, 90]] * 2, [.6, -1], [0, 0], centers) == pytest.approx([.5, -1])


def test_center_check_against_slow_twin():
    rng = np.random.default_rng(4)
    low, extent = rng.uniform(0, 100, (2, 60, 2)), rng.uniform(0, 300, (2, 60, 2))
    boxes = np.concatenate([low, low + extent], 2)
    scores = np.where(rng.uniform(size=(2, 60)) < .2, -1, rng.uniform(size=(2, 60)))
    labels = rng.integers(0, 2, (2, 60))
    centers = np.stack([*rng.uniform(0, 400, (2, 2, 99)), rng.integers(0, 2, (2, 99)), rng.uniform(size=(2, 99))], 2)
    block = CenterCheck()
    block.hybridize()
    found = block(*[mx.nd.array(x) for x in (boxes, scores, labels, centers)]).asnumpy()
    wanted = [[slow_check(*box, image_centers) if box[1] > -1 else -1 for box in zip(*image)]
              for *image, image_centers in zip(boxes, scores, labels, centers)]
    assert np.allclose(found, wanted, atol=1e-5) and .1 < (found > -1).mean() < .9


# -- soft-NMS --------------------------------------------------------------------------------------------------------

def test_soft_nms_by_hand():
    """Boxes of 10 x 10 pixels, of which 5 x 10 are the same: IoU 1/3. The third is of another class."""
    boxes = [[0, 0, 9, 9], [5, 0, 14, 9], [5, 0, 14, 9], [50, 50, 59, 59]]
    kept, scores, _ = soft_nms(boxes, [.9, .8, .7, .6], [0, 0, 1, 0])
    assert kept.tolist() == [0, 2, 1, 3]
    assert scores.tolist() == pytest.approx([.9, .7, .8 * np.exp(-2 / 9), .6])


@pytest.mark.parametrize('merge', [False, True])
@pytest.mark.parametrize('count', [1, 10, 200])
def test_soft_nms_against_slow_twin(count, merge):
    rng = np.random.default_rng(count)
    low = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 60, (count, 2))], 1)
    boxes[1::2] = boxes[:count - 1:2] + rng.uniform(-4, 4, (count // 2, 4))   # some that overlap much
    scores, labels = rng.uniform(0, 1, count) ** 4, rng.integers(0, 3, count)   # some are low
    corner_scores = rng.uniform(0, 1, (count, 2)).tolist() if merge else None
    wanted = slow_soft_nms(boxes.tolist(), scores.tolist(), labels.tolist(), .5, .001, corner_scores)
    kept, lowered, means = soft_nms(boxes, scores, labels, corner_scores, keep=count)
    assert kept.tolist() == [number for number, *_ in wanted]
    assert lowered == pytest.approx([score for _, score, _ in wanted])
    np.testing.assert_allclose(means, [box for *_, box in wanted], rtol=1e-5)
    assert np.allclose(means, boxes[kept]) == (not merge or count == 1)
    assert soft_nms(boxes, scores, labels, corner_scores, keep=7)[0].tolist() == kept[:7].tolist()


def test_merging_by_hand():
    """IoU 1: the other weighs (1 - e^-2)^10 = 0.2337 of what its corners say."""
    boxes, corner_scores = [[0, 0, 9, 9], [0, 0, 9, 9], [100, 0, 109, 9]], [[.8, .5], [.4, 1], [.9, .9]]
    boxes[1] = [0, 0, 9, 9]
    share = (1 - np.exp(-2)) ** 10
    assert share == pytest.approx(.2337, abs=1e-4)
    shifted = np.array(boxes, float)
    shifted[1] += 1e-3   # too little to change the IoU
    _, _, means = soft_nms(shifted, [.9, .8, .7], [0, 0, 0], corner_scores)
    moved = 1e-3 * share * np.array([.4 / (.8 + share * .4)] * 2 + [1 / (.5 + share)] * 2)
    assert means[0] == pytest.approx(moved + [0, 0, 9, 9], abs=1e-6) and means[1].tolist() == [100, 0, 109, 9]


def test_soft_nms_drops_only_what_it_lowers():
    kept, scores, _ = soft_nms([[0, 0, 9, 9], [0, 0, 9, 9], [50, 0, 59, 9]], [.9, .0011, .0005], [0, 0, 0])
    assert kept.tolist() == [0, 2] and scores.tolist() == pytest.approx([.9, .0005])


def test_soft_nms_of_nothing():
    for corner_scores in (None, np.zeros((0, 2))):
        kept, scores, boxes = soft_nms(np.zeros((0, 4)), [], [], corner_scores)
        assert kept.shape == scores.shape == (0,) and boxes.shape == (0, 4)


def test_soft_nms_leaves_its_input():
    boxes, scores = np.array([[0., 0, 9, 9], [0, 0, 9, 9]]), np.array([.9, .8])
    soft_nms(boxes, scores, np.zeros(2))
    assert scores.tolist() == [.9, .8]
