"""Losses against loops and against pytorch-metric-learning."""

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import ContrastiveLoss as TheirContrastiveLoss
from pytorch_metric_learning.losses import NTXentLoss, TripletMarginLoss
from pytorch_metric_learning.reducers import DoNothingReducer, MeanReducer, SumReducer

from xmr_lib.config import from_flat
from xmr_lib.errors import XmrError
from xmr_lib.losses import ContrastiveLoss, InfoNCELoss, TripletLoss, distillation, similarity_matrix
from xmr_lib.losses.similarity import known_direction

DIRECTIONS = ("i2t", "t2i", "both")
NEGATIVES = ("all", "hardest", "semihard", "random")
IMAGES = torch.tensor([0, 1, 2, 0, 3, 1, 0, 4])
"""Images of the pairs of a batch: 0 thrice, 1 twice."""


def scores(seed=0, pairs=8, dtype=torch.float64):
    return torch.randn(pairs, pairs, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def lists(similarity, images, direction):
    """Yield own similarity and those of the negatives for each anchor, direction after direction."""
    for one in ("i2t", "t2i") if direction == "both" else (direction,):
        matrix = similarity if one == "i2t" else similarity.T
        yield [
            (matrix[a, a].item(), [matrix[a, c].item() for c in range(len(images)) if images[c] != images[a]])
            for a in range(len(images))
        ]


def naive_triplet(similarity, images, negatives, direction, margin=0.2):
    sides = []
    for anchors in lists(similarity, images, direction):
        total = counted = 0
        for own, others in anchors:
            if not others:
                continue
            below = [x for x in others if x < own]
            chosen = {
                "all": others,
                "hardest": [max(others)],
                "semihard": [max(below) if below else min(others)],
            }[negatives]
            total += sum(max(0.0, margin + x - own) for x in chosen)
            counted += 1
        sides.append(total / counted if counted else 0.0)
    return sum(sides) / len(sides)


def naive_infonce(similarity, images, direction, temperature):
    sides = []
    for anchors in lists(similarity, images, direction):
        losses = []
        for own, others in anchors:
            exponentials = [math.exp(x / temperature) for x in (own, *others)]
            losses.append(-math.log(exponentials[0] / sum(exponentials)))
        sides.append(sum(losses) / len(losses))
    return sum(sides) / len(sides)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("negatives", ["all", "hardest", "semihard"])
@pytest.mark.parametrize("seed", range(5))
def test_triplet_agrees_with_a_loop(direction, negatives, seed):
    similarity = scores(seed)
    value = TripletLoss(0.2, negatives, direction)(similarity, IMAGES)
    assert value.item() == pytest.approx(naive_triplet(similarity, IMAGES, negatives, direction))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("seed", range(5))
def test_infonce_agrees_with_a_loop(direction, seed):
    similarity = scores(seed)
    value = InfoNCELoss(0.3, direction=direction)(similarity, IMAGES)
    assert value.item() == pytest.approx(naive_infonce(similarity, IMAGES, direction, 0.3))


def naive_distillation(similarity, taught, images, direction, scale):
    sides = []
    for anchors, wanted in zip(lists(similarity, images, direction), lists(taught, images, direction), strict=True):
        losses = []
        for mine, theirs in zip(anchors, wanted, strict=True):
            student, teacher = ([math.exp(scale * x) for x in (own, *others)] for own, others in (mine, theirs))
            shares = zip(student, teacher, strict=True)
            losses.append(-sum(t / sum(teacher) * math.log(s / sum(student)) for s, t in shares))
        sides.append(sum(losses) / len(losses))
    return sum(sides) / len(sides)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_distillation_agrees_with_a_loop(direction):
    similarity, taught, scale = scores(1), scores(2), torch.tensor(3.0, dtype=torch.float64)
    value = distillation(similarity, taught, scale, IMAGES, direction)
    assert value.item() == pytest.approx(naive_distillation(similarity, taught, IMAGES, direction, 3.0))


def test_distillation_is_least_where_the_student_chooses_as_its_teacher_does():
    taught, scale = scores(2), torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    student = taught.clone().requires_grad_()
    distillation(student, taught, scale, IMAGES).backward()
    assert student.grad.abs().max() < 1e-12
    least = distillation(taught, taught, scale, IMAGES).item()
    assert all(distillation(taught + scores(k), taught, scale, IMAGES).item() > least for k in range(3, 8))
    # A teacher that is certain leaves InfoNCE.
    certain, of_pairs = 1e6 * torch.eye(len(IMAGES), dtype=torch.float64), InfoNCELoss(1 / 3)(scores(1), IMAGES)
    assert distillation(scores(1), certain, scale, IMAGES).item() == pytest.approx(of_pairs.item())


def test_random_negatives_are_drawn_from_all_negatives_alike():
    """With own similarities 0 and a margin of 1000, four times the loss less the margin is the one chosen by row 0."""
    similarity = torch.zeros(4, 4, dtype=torch.float64)
    similarity[0] = torch.tensor([0.0, 1, 10, 100])
    images = torch.tensor([0, 1, 2, 0])
    loss = TripletLoss(1000.0, "random", "i2t")
    drawn = [round(4 * (loss(similarity, images).item() - 1000)) for _ in range(400)]
    # Pair 3 holds the same image: its 100 never comes up.
    assert set(drawn) == {1, 10}
    assert 140 < drawn.count(1) < 260


def test_random_negatives_are_reproducible_and_change():
    loss = TripletLoss(1.0, "random")
    torch.manual_seed(4)
    first = [loss(scores(), IMAGES).item() for _ in range(3)]
    torch.manual_seed(4)
    assert first == [loss(scores(), IMAGES).item() for _ in range(3)]
    assert len(set(first)) > 1


def test_the_mean_of_random_negatives_is_that_of_all():
    similarity, images = scores(1), torch.arange(8)
    drawn = np.array([TripletLoss(0.5, "random")(similarity, images).item() for _ in range(2000)])
    expected = naive_triplet(similarity, images, "all", "both", 0.5) / 7
    assert abs(drawn.mean() - expected) < 4.5 * drawn.std() / math.sqrt(2000)


def embeddings(pairs=8, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(pairs, 5, generator=generator, dtype=torch.float64) for _ in range(2)]


@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_infonce_is_ntxent_across_modalities(direction):
    """Each image once: with repeated ones, NTXent takes an image's other captions for positives too."""
    one, other = embeddings() if direction == "i2t" else embeddings()[::-1]
    labels = torch.arange(8)
    theirs = NTXentLoss(temperature=0.2)(one, labels, ref_emb=other, ref_labels=labels.clone())
    ours = InfoNCELoss(0.2, direction=direction)(similarity_matrix(*embeddings(), "cosine"), labels)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("direction", ["i2t", "t2i"])
@pytest.mark.parametrize("negatives", ["all", "hardest", "semihard"])
def test_triplet_is_pytorch_metric_learnings(distance, direction, negatives):
    """Its triplets are given as indices: own pairs as positives, and the negatives that we name in words."""
    one, other = embeddings() if direction == "i2t" else embeddings()[::-1]
    similarity = similarity_matrix(one, other, distance)
    peer = CosineSimilarity() if distance == "cosine" else LpDistance(normalize_embeddings=False)
    triplets = []
    for a in range(8):
        candidates = [c for c in range(8) if IMAGES[c] != IMAGES[a]]
        below = [c for c in candidates if similarity[a, c] < similarity[a, a]]
        if negatives == "hardest":
            candidates = [max(candidates, key=lambda c, a=a: similarity[a, c])]
        elif negatives == "semihard":
            key = lambda c, a=a: similarity[a, c]  # noqa: E731
            candidates = [max(below, key=key) if below else min(candidates, key=key)]
        triplets += [(a, a, c) for c in candidates]
    reducer = SumReducer() if negatives == "all" else MeanReducer()
    theirs = TripletMarginLoss(margin=0.3, distance=peer, reducer=reducer)(
        one, IMAGES, tuple(torch.tensor(triplets).T), ref_emb=other, ref_labels=IMAGES.clone()
    )
    ours = TripletLoss(0.3, negatives, direction)(similarity_matrix(*embeddings(), distance), IMAGES)
    assert ours.item() == pytest.approx(theirs.item() / (8 if negatives == "all" else 1), rel=1e-6)


def naive_contrastive(similarity, images, margin):
    [anchors] = lists(similarity, images, "i2t")
    own = [-own for own, others in anchors if others]
    near = [-x for _, others in anchors for x in others if -x < margin]
    halves = [sum(d * d for d in own) / max(len(own), 1), sum((margin - d) ** 2 for d in near) / max(len(near), 1)]
    return sum(halves) / 2


@pytest.mark.parametrize("margin", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_contrastive_agrees_with_a_loop(margin, seed):
    similarity = -scores(seed).abs()
    value = ContrastiveLoss(margin)(similarity, IMAGES)
    assert value.item() == pytest.approx(naive_contrastive(similarity, IMAGES, margin))


def test_contrastive_is_pytorch_metric_learnings():
    """Its distances to own items, and what is missing to the margin; the squares of Hadsell et al. are taken here."""
    one, other = embeddings()
    distance = LpDistance(normalize_embeddings=False)
    theirs = TheirContrastiveLoss(pos_margin=0, neg_margin=3.0, distance=distance, reducer=DoNothingReducer())
    negatives = [(a, c) for a in range(8) for c in range(8) if IMAGES[a] != IMAGES[c]]
    everyone = torch.arange(8)
    indices = (everyone, everyone, *torch.tensor(negatives).T)
    parts = theirs(one, IMAGES, indices, ref_emb=other, ref_labels=IMAGES.clone())
    own, near = (parts[name]["losses"] for name in ("pos_loss", "neg_loss"))
    expected = 0.5 * own.square().mean() + 0.5 * near[near > 0].square().mean()
    ours = ContrastiveLoss(3.0)(similarity_matrix(one, other, "euclidean"), IMAGES)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6) and (near > 0).any()


def all_losses():
    yield ContrastiveLoss(0.7)
    for direction in DIRECTIONS:
        yield from (TripletLoss(0.7, negatives, direction) for negatives in NEGATIVES)
        yield InfoNCELoss(0.5, direction=direction)


@pytest.mark.parametrize("loss", all_losses(), ids=repr)
def test_what_every_loss_keeps(loss):
    similarity = scores(6).requires_grad_()
    torch.manual_seed(0)
    value = loss(similarity, IMAGES)
    value.backward()
    # Two captions of one image are never each other's negatives: no gradient but on the diagonal.
    same_image = (IMAGES[:, None] == IMAGES[None, :]) & ~torch.eye(8, dtype=torch.bool)
    assert (similarity.grad[same_image] == 0).all()
    assert (similarity.grad.diagonal() <= 0).all() and (similarity.grad.diagonal() < 0).any()
    assert (similarity.grad[~same_image & ~torch.eye(8, dtype=torch.bool)] >= 0).all()
    # Slopes are those of finite differences.
    assert torch.autograd.gradcheck(lambda x: (torch.manual_seed(0), loss(x, IMAGES))[1], similarity)
    # The order of the pairs is of no account; nor is it what the images are called.
    if getattr(loss, "negatives", "") != "random":
        order = torch.randperm(8)
        again = loss(similarity[order][:, order], 90 - 7 * IMAGES[order])
        assert again.item() == pytest.approx(value.item())


@pytest.mark.parametrize("loss", all_losses(), ids=repr)
@pytest.mark.parametrize("pairs", [1, 3])
def test_a_batch_of_one_image_gives_0_and_no_gradient(loss, pairs):
    similarity = scores(7, pairs).requires_grad_()
    value = loss(similarity, torch.full((pairs,), 5))
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert (similarity.grad.abs() < 1e-12).all()


def test_the_temperature_is_trained_and_bounded():
    loss = InfoNCELoss(0.07)
    # Pairs that all match want a temperature of 0; CLIP's bound keeps it at 0.01.
    optimiser = torch.optim.SGD(loss.parameters(), lr=1e4)
    similarity = torch.eye(4) * 0.2
    for _ in range(30):
        optimiser.zero_grad()
        value = loss(similarity, torch.arange(4))
        value.backward()
        optimiser.step()
    assert value.item() == pytest.approx(math.log(1 + 3 * math.exp(-0.2 * 100)), abs=1e-6)
    # There it still has a gradient, so that it can come back: pairs that do not match want it warmer.
    optimiser.zero_grad()
    loss(-similarity, torch.arange(4)).backward()
    assert loss.log_scale.grad.item() > 1
    assert loss.log_scale.item() <= math.log(100) + 1e-6
    assert not list(p for p in InfoNCELoss(learnable=False).parameters() if p.requires_grad)


def test_similarities_agree_with_loops():
    one, other = (x.tolist() for x in embeddings())
    for distance in ("cosine", "euclidean"):
        matrix = similarity_matrix(*embeddings(), distance)
        for i, x in enumerate(one):
            for c, y in enumerate(other):
                dot = sum(a * b for a, b in zip(x, y, strict=True))
                expected = dot / math.hypot(*x) / math.hypot(*y) if distance == "cosine" else -math.dist(x, y)
                assert matrix[i, c].item() == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("whole", [True, False])
def test_euclidean_slopes_are_finite_where_embeddings_coincide(dtype, whole):
    """Squared distances of whole numbers are exactly 0; of others, rounding puts them on either side of it."""
    one = torch.randn(6, 9, generator=torch.Generator().manual_seed(1), dtype=dtype) * 10
    one = (one.round() if whole else one).requires_grad_()
    other = one.detach().clone().requires_grad_()
    TripletLoss(100.0, "all")(similarity_matrix(one, other, "euclidean"), torch.arange(6)).backward()
    for gradient in (one.grad, other.grad):
        assert gradient.isfinite().all() and gradient.abs().max() < 100


def settings(loss, **changes):
    """Set what a config may set of a loss: in tests, a class checks the types of its arguments before it can speak."""
    return from_flat("x", loss=loss, **changes).method.loss.build()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: settings("triplet", negatives="easiest"), "'easiest': .*'random', 'semihard', 'hardest' or 'all'"),
        (lambda: settings("triplet", direction="up"), "'up': .*'i2t', 't2i' or 'both'"),
        (lambda: settings("infonce", direction="up"), "'up': .*'i2t', 't2i' or 'both'"),
        (lambda: settings("triplet", margin=0.0), "margin = 0.0"),
        (lambda: settings("infonce", temperature=0.001), "temperature = 0.001"),
        (lambda: known_direction("up"), "'up' is unknown; there are i2t, t2i, both"),
        (lambda: InfoNCELoss(0.0), "temperature 0.0"),
        (lambda: InfoNCELoss(0.001), "temperature 0.001"),
        (lambda: similarity_matrix(*embeddings(), "dot"), "'dot' is unknown; there are cosine, euclidean"),
    ],
)
def test_wrong_names_are_refused(make, message):
    with pytest.raises(XmrError, match=message):
        make()
