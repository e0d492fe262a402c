#pragma once

#include "mtl/nn/activation.hpp"
#include "mtl/nn/encoders/cnn_encoder.hpp"
#include "mtl/nn/encoders/efficientnet_lite.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/encoders/recurrent_encoder.hpp"
#include "mtl/nn/heads/linear_head.hpp"
#include "mtl/nn/heads/mlp_head.hpp"
#include "mtl/nn/layer.hpp"
#include "mtl/nn/weights.hpp"
