#pragma once

#include <torch/torch.h>

#include "mtl/combine/combine.hpp"
#include "mtl/core/core.hpp"
#include "mtl/data/data.hpp"
#include "mtl/deploy/deploy.hpp"
#include "mtl/evaluate/evaluate.hpp"
#include "mtl/io/io.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/report/report.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/task/tasks.hpp"
#include "mtl/train/train.hpp"
