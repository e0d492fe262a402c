#pragma once

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/task_losses.hpp"
