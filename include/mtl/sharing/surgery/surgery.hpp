#pragma once

#include "mtl/sharing/surgery/add_task.hpp"
#include "mtl/sharing/surgery/changed_model.hpp"
#include "mtl/sharing/surgery/drop_task.hpp"
#include "mtl/sharing/surgery/freeze.hpp"
#include "mtl/sharing/surgery/task_change.hpp"
#include "mtl/sharing/surgery/teachers.hpp"
#include "mtl/sharing/surgery/warm_start.hpp"
