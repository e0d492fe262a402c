#pragma once

#include "mtl/task/loss.hpp"
#include "mtl/task/metric.hpp"
#include "mtl/task/registry.hpp"
#include "mtl/task/task.hpp"
