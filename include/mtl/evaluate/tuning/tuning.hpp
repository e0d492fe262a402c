#pragma once

#include "mtl/evaluate/tuning/expected_improvement.hpp"
#include "mtl/evaluate/tuning/gaussian_process.hpp"
#include "mtl/evaluate/tuning/grid_search.hpp"
#include "mtl/evaluate/tuning/median_rule.hpp"
#include "mtl/evaluate/tuning/population_search.hpp"
#include "mtl/evaluate/tuning/random_search.hpp"
#include "mtl/evaluate/tuning/search_space.hpp"
#include "mtl/evaluate/tuning/sobol_search.hpp"
#include "mtl/evaluate/tuning/successive_halving.hpp"
#include "mtl/evaluate/tuning/tuner.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"
