#pragma once

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// The mathematics of a combiner alone, on any problem: `jacobian` [T, P] -> direction [P], of the
/// same dtype and device. A stateful combiner steps its state. A loss combiner weighs the rows as
/// it would weigh losses of 1. Error: a Jacobian that is not a matrix; a combiner that needs losses
/// on several parameters (bilevel). FaultyStep: a row that is not finite.
Tensor aggregate(Combiner& combiner, const Tensor& jacobian);

}  // namespace mtl
