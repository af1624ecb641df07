from ift_course.exercises.misconceptions import misconception


@misconception(
    "The low-rank update is scaled by alpha; scale it by alpha / rank, so that ranks can be "
    "compared."
)
def not_divided_by_the_rank(x, weight, a, b, alpha):
    return x @ weight.T + alpha * (x @ a.T @ b.T)


@misconception("The low-rank update is not scaled; multiply it by alpha / rank.")
def no_scale(x, weight, a, b, alpha):
    return x @ weight.T + x @ a.T @ b.T


@misconception("You divide by the number of outputs; the rank is the number of rows of `a`.")
def divided_by_the_outputs(x, weight, a, b, alpha):
    return x @ weight.T + alpha / len(b) * (x @ a.T @ b.T)


@misconception("You divide by the number of inputs; the rank is the number of rows of `a`.")
def divided_by_the_inputs(x, weight, a, b, alpha):
    return x @ weight.T + alpha / a.shape[1] * (x @ a.T @ b.T)


@misconception("The factor is rank / alpha; it should be alpha / rank.")
def scale_upside_down(x, weight, a, b, alpha):
    return x @ weight.T + len(a) / alpha * (x @ a.T @ b.T)


@misconception("Only the low-rank update is computed; add the product of the frozen weight.")
def weight_forgotten(x, weight, a, b, alpha):
    return alpha / len(a) * (x @ a.T @ b.T)


@misconception("Both products are scaled; alpha / rank applies to the low-rank update only.")
def everything_scaled(x, weight, a, b, alpha):
    return alpha / len(a) * (x @ weight.T + x @ a.T @ b.T)


@misconception("The frozen weight is not transposed; a linear layer computes `x @ weight.T`.")
def weight_not_transposed(x, weight, a, b, alpha):
    return x @ weight + alpha / len(a) * (x @ a.T @ b.T)


@misconception("The weight is changed in place, which changes the base model for everyone else.")
def weight_changed(x, weight, a, b, alpha):
    weight += alpha / len(a) * (b @ a)
    return x @ weight.T


@misconception(
    "Everything is converted to float32; the result should have the dtype of the inputs."
)
def computed_in_float32(x, weight, a, b, alpha):
    x, weight, a, b = x.float(), weight.float(), a.float(), b.float()
    return x @ weight.T + alpha / len(a) * (x @ a.T @ b.T)
