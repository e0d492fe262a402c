#pragma once

#include "mtl/evaluate/bootstrap.hpp"
#include "mtl/evaluate/compare.hpp"
#include "mtl/evaluate/delta_m.hpp"
#include "mtl/evaluate/effect_size.hpp"
#include "mtl/evaluate/holm.hpp"
#include "mtl/evaluate/mcnemar_test.hpp"
#include "mtl/evaluate/paired_t_test.hpp"
#include "mtl/evaluate/permutation_test.hpp"
#include "mtl/evaluate/sample.hpp"
#include "mtl/evaluate/student_t.hpp"
#include "mtl/evaluate/verdict.hpp"
#include "mtl/evaluate/wilcoxon_signed_rank.hpp"
