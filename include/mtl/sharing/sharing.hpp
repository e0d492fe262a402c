#pragma once

#include "mtl/sharing/branched.hpp"
#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/sharing/load.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/sharing/model_ref.hpp"
#include "mtl/sharing/parameter_groups.hpp"
#include "mtl/sharing/parts.hpp"
#include "mtl/sharing/save.hpp"
#include "mtl/sharing/task_losses.hpp"
