#pragma once

#include "mtl/data/splits/chronological_split.hpp"
#include "mtl/data/splits/group_split.hpp"
#include "mtl/data/splits/k_folds.hpp"
#include "mtl/data/splits/neighbour_folds.hpp"
#include "mtl/data/splits/random_split.hpp"
#include "mtl/data/splits/shares.hpp"
#include "mtl/data/splits/stratified_split.hpp"
