#pragma once

#include "mtl/evaluate/mcnemar_test.hpp"
#include "mtl/evaluate/paired_t_test.hpp"
#include "mtl/evaluate/permutation_test.hpp"
#include "mtl/evaluate/sample.hpp"
#include "mtl/evaluate/student_t.hpp"
#include "mtl/evaluate/wilcoxon_signed_rank.hpp"
