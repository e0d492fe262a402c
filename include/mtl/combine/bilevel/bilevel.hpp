#pragma once

#include "mtl/combine/bilevel/auto_lambda.hpp"
#include "mtl/combine/bilevel/forum.hpp"
#include "mtl/combine/bilevel/moml.hpp"
