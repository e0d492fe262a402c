#pragma once

#include "mtl/combine/solvers/bargain.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/constrained.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/equal_angles.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "mtl/combine/solvers/vectors.hpp"
