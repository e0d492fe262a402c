#pragma once

#include "mtl/sharing/branched.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/sharing/parameter_groups.hpp"
#include "mtl/sharing/task_losses.hpp"
