from ift_course.exercises.misconceptions import misconception


@misconception("The factor is alpha; it should be alpha / rank, as in the forward pass.")
def not_divided_by_the_rank(weight, a, b, alpha):
    return (weight.float() + alpha * (b.float() @ a.float())).to(weight.dtype)


@misconception("The update is not scaled; multiply it by alpha / rank.")
def no_scale(weight, a, b, alpha):
    return (weight.float() + b.float() @ a.float()).to(weight.dtype)


@misconception("The update is subtracted; that removes an adapter again.")
def subtracted(weight, a, b, alpha):
    return (weight.float() - alpha / len(a) * (b.float() @ a.float())).to(weight.dtype)


@misconception("This is the update alone; add it to the weight.")
def update_only(weight, a, b, alpha):
    return (alpha / len(a) * (b.float() @ a.float())).to(weight.dtype)


@misconception("a and b are multiplied in the wrong order, or transposed; the update is b @ a.")
def wrong_order(weight, a, b, alpha):
    update = (
        (a.float().T @ b.float().T)
        if weight.shape[0] == weight.shape[1]
        else (b.float() @ a.float())
    )
    return (weight.float() + alpha / len(a) * update).to(weight.dtype)


@misconception(
    "The update is rounded to the dtype of the weight before it is added; round once, at the end."
)
def rounded_before_adding(weight, a, b, alpha):
    update = alpha / len(a) * (b.float() @ a.float())
    return weight + update.to(weight.dtype)


@misconception("The result is float32; convert it back to the dtype of the weight.")
def float32_returned(weight, a, b, alpha):
    return weight.float() + alpha / len(a) * (b.float() @ a.float())


@misconception(
    "The product of b and a is computed in their own dtype; convert them to float32 first."
)
def product_in_half_precision(weight, a, b, alpha):
    return (weight.float() + alpha / len(a) * (b @ a).float()).to(weight.dtype)


@misconception("The given weight is changed in place; return a new tensor.")
def weight_changed(weight, a, b, alpha):
    weight.copy_(weight.float() + alpha / len(a) * (b.float() @ a.float()))
    return weight
