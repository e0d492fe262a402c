#pragma once

#include "mtl/evaluate/statistics.hpp"
