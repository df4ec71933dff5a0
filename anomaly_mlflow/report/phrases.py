"""What it means, in words for people, that a sample stands high or low under a signal."""

__all__ = ["PHRASES", "phrase"]

PHRASES: dict[str, tuple[str, str]] = {
    # uncertainty
    "entropy": ("the model is torn between classes", "the model is sure of its answer"),
    "confidence": ("the model trusts no class much", "the model trusts one class fully"),
    "top2_margin": ("two classes seem nearly equally likely", "one class is far ahead of the next"),
    "stochastic_variance": ("the answer changes when parts of the model are left out", "the answer is steady"),
    "mutual_information": ("the model's parts disagree about it", "the model's parts agree about it"),
    "expected_entropy": ("the image looks ambiguous to every part of the model", "the image looks plain to the model"),
    # label
    "self_confidence": ("models of other folds do not believe the label", "models of other folds believe the label"),
    "normalized_margin": ("models of other folds prefer another label", "models of other folds prefer this label"),
    "confidence_weighted_entropy": (
        "models of other folds are unsure and against the label",
        "models of other folds are sure of the label",
    ),
    "confident_joint": (
        "other folds confidently say another class",
        "no other class is confidently seen by other folds",
    ),
    "log_odds": ("models of other folds bet on another label", "models of other folds bet on this label"),
    "loss": ("the trained model finds the label unlikely", "the trained model fits the label"),
    "label_margin": ("the trained model prefers another label", "the trained model prefers this label"),
    "label_rank": ("many classes fit better than the label", "few classes fit better than the label"),
    # ood
    "energy": ("the outputs are as weak as for a stranger", "the outputs are as strong as for a familiar image"),
    "layout_blindness": (
        "the model says the same however its parts are arranged",
        "the model goes by how its parts are arranged",
    ),
    "max_logit": ("no class answers strongly", "one class answers strongly"),
    "gen": ("the answer is spread over many classes", "the answer is on one class"),
    "grad_norm": ("the features are as faint as a stranger's", "the features are as strong as a familiar image's"),
    "vim": ("its features lie outside of what the data spans", "its features lie within what the data spans"),
    # geometry
    "mahalanobis": ("it lies far from every class", "it lies close to some class"),
    "label_mahalanobis": ("it lies outside of the spread of its class", "it lies within the spread of its class"),
    "relative_mahalanobis": ("it is nobody's typical member", "it is a typical member of some class"),
    "knn_distance": ("nothing clean resembles it", "clean images resemble it closely"),
    "knn_disagreement": (
        "the clean images nearest to it bear other labels",
        "the clean images nearest share its label",
    ),
    "local_outlier_factor": ("it lies more alone than its neighbours do", "it lies in a dense neighbourhood"),
    "prototype_distance": ("it is far from what its label usually looks like", "it looks as its label usually does"),
    "prototype_ratio": ("another class is nearer than its own", "no class is nearer than its own"),
    "silhouette": ("it sits better among another class", "it sits best among its own class"),
    "simplified_silhouette": (
        "it is nearer to the centre of another class",
        "it is nearest to the centre of its class",
    ),
    # representation
    "fine_alignment": ("it points away from the main direction of its label", "it points the way of its label"),
    "near_duplicate": ("another image is almost the same", "no other image is like it"),
    "neighbour_vote": ("its neighbours vote for another label", "its neighbours vote for its label"),
    "neighbour_rank": ("few of its neighbours bear its label", "most of its neighbours bear its label"),
    "prototype_margin": ("it lies nearer to the middle of another label", "it lies nearest to the middle of its label"),
    "prediction_depth": ("the model decides only in its last layers", "the model decides in its first layers"),
    # influence
    "self_influence": ("the model had to bend for it", "the model hardly bent for it"),
    "absolute_influence": ("it moved the model on many test images", "it hardly moved the model on any test image"),
    "marginal_influence": ("it harmed more test images than it helped", "it helped more test images than it harmed"),
    "positive_influence": ("it pulled hard on test images it agrees with", "it pulled on hardly any test image"),
    "gd_class": ("it made one class of test images worse", "it made no class of test images worse"),
    "negative_influence": ("it harmed test images of its own label", "it harmed no test image of its own label"),
    "strongest_opposition": ("it works against the test images of some class", "it works against no class"),
    "cnci": ("another label would not harm the class it bears", "another label would harm the class it bears"),
    "pcid": ("it was learnt without help from test images", "what it teaches is shared by test images"),
    "cfrank": ("by its influence it is mislabelled or a stranger", "by its influence it belongs"),
    # dynamics
    "cartography_confidence": ("training never made the label likely", "training made the label likely throughout"),
    "threshold_closeness": ("the model half believed the label", "the model was settled on the label, for or against"),
    "data_iq_aleatoric": ("the model stayed undecided in training", "the model was decided in training"),
    "el2n": ("the first epochs were far off the label", "the first epochs met the label already"),
    "area_under_margin": ("another class led all through training", "the label led all through training"),
    "late_log_odds": ("another class was likelier late in training", "the label was likelier late in training"),
    "forgetting": ("it was learnt and forgotten again and again", "it was hardly ever forgotten"),
    "never_learnt": ("the label was never learnt", "the label was learnt at some time"),
    "wrong_events": ("it was called something else in most epochs", "it was called by its label in most epochs"),
    "first_learnt": ("the label was learnt late or never", "the label was learnt at once"),
    "mid_entropy": ("the model was torn in mid-training", "the model was sure in mid-training"),
    "confidence_variability": ("belief in the label wavered", "belief in the label hardly moved"),
    "variance_of_gradients": ("what the model looked at kept changing", "what the model looked at stayed the same"),
    "second_split_forgetting": ("it was forgotten fast on other data", "it was remembered long on other data"),
    "probe_wrong_label": ("it trained as known wrong labels do", "it did not train as known wrong labels do"),
    "probe_random_input": ("it trained as random images do", "it did not train as random images do"),
    "mean_loss": ("its loss was high throughout training", "its loss was low throughout training"),
    "loss_std": ("its loss swung widely", "its loss hardly moved"),
    "final_loss": ("its loss stayed high to the end", "its loss ended low"),
    "min_loss": ("its loss never came down", "its loss came down fully at some time"),
    "loss_slope": ("its loss rose or did not fall", "its loss fell steeply"),
    "late_loss_slope": ("its loss rose late in training", "its loss fell late in training"),
    "loss_rebound": ("its loss climbed again after it had fallen", "its loss never climbed again"),
    "loss_sign_changes": ("its loss went up and down", "its loss moved one way"),
    # image
    "dark": ("the image is dark", "the image is not dark"),
    "light": ("the image is very bright", "the image is not too bright"),
    "blurry": ("the image has no sharp edge", "the image is full of sharp edges"),
    "low_information": ("the image holds little detail", "the image holds much detail"),
}


def phrase(column: str, percentile: float) -> str:
    """A clause and how far out the sample stands; a signal without phrases (a plug-in's) is told by its name.

    column: `family.signal`; percentile: in 0..1, rank of the sample under the signal, higher = more suspicious.
    """
    name, high = column.partition(".")[2], percentile >= 0.5
    clauses = PHRASES.get(name, (f"{name} is high", f"{name} is low"))
    share = max(1, int(-(-100 * (1 - percentile if high else percentile) // 1)))
    return f"{clauses[0] if high else clauses[1]} ({'top' if high else 'bottom'} {share} %)"
