#pragma once

#include "mtl/data/scalers/columns.hpp"
#include "mtl/data/scalers/min_max_scaler.hpp"
#include "mtl/data/scalers/standard_scaler.hpp"
