#pragma once

#include "mtl/combine/bilevel/bilevel.hpp"
#include "mtl/combine/combiner.hpp"
#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/gradients.hpp"
#include "mtl/combine/losses/losses.hpp"
#include "mtl/combine/make_combiner.hpp"
#include "mtl/combine/solvers/solvers.hpp"
#include "mtl/combine/task_losses.hpp"
#include "mtl/combine/task_weights.hpp"
