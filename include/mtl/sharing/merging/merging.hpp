#pragma once

#include "mtl/sharing/merging/ada_merging.hpp"
#include "mtl/sharing/merging/dare_merging.hpp"
#include "mtl/sharing/merging/mean_merging.hpp"
#include "mtl/sharing/merging/merge_models.hpp"
#include "mtl/sharing/merging/shared_weights.hpp"
#include "mtl/sharing/merging/task_arithmetic.hpp"
#include "mtl/sharing/merging/task_vectors.hpp"
#include "mtl/sharing/merging/ties_merging.hpp"
