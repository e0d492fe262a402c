#include "mtl/nn/encoders/cnn_encoder.hpp"

#include <torch/torch.h>

#include "catch.hpp"
#include "error_text.hpp"

using mtl::Tensor;
using mtl::nn::CnnEncoder;
using mtl::nn::ConvolutionNorm;

TEST_CASE("CnnEncoder: any depth, width and picture size") {
  for (const int64_t blocks : {1, 3}) {
    for (const auto norm :
         {ConvolutionNorm::none, ConvolutionNorm::batch, ConvolutionNorm::group}) {
      CnnEncoder encoder({.channels = {8, 24}, .blocks = blocks, .norm = norm, .dropout = 0.1});
      const Tensor output = encoder->forward(torch::rand({2, 3, 33, 20}));
      CHECK(output.sizes() == torch::IntArrayRef({2, 24}));
      output.sum().backward();
      for (const auto& item : encoder->named_parameters()) {
        CAPTURE(item.key());
        CHECK(item.value().grad().defined());
      }
    }
  }
}

TEST_CASE("CnnEncoder: is the mean of its last block, by hand") {
  torch::manual_seed(1);
  CnnEncoder encoder(
      {.input_channels = 2, .channels = {4}, .stride = 1, .norm = ConvolutionNorm::none});
  const Tensor pictures = torch::rand({3, 2, 5, 6});
  const auto weights = encoder->named_parameters();
  const Tensor expected =
      torch::relu(torch::conv2d(pictures, weights["stages.0.0.convolution.weight"],
                                weights["stages.0.0.convolution.bias"], 1, 1))
          .mean({2, 3});
  CHECK(torch::allclose(encoder->forward(pictures), expected));
  CHECK(torch::allclose(encoder->forward(pictures.contiguous(torch::MemoryFormat::ChannelsLast)),
                        expected, 1e-5, 1e-6));
}

TEST_CASE("CnnEncoder: names what is wrong") {
  CHECK(contains(error_text([] { CnnEncoder({.channels = {}}); }), "no stage"));
  CHECK(contains(error_text([] { CnnEncoder({.channels = {8, 0}}); }), "size of 0"));
  CHECK(contains(error_text([] { CnnEncoder({.kernel_size = 4}); }), "kernel_size 4 is even"));
  CHECK(contains(error_text([] { CnnEncoder({.channels = {12}, .norm = ConvolutionNorm::group}); }),
                 "found 12"));
  CHECK(contains(error_text([] { CnnEncoder({.dropout = 1.0}); }), "dropout 1"));
  CnnEncoder encoder({.channels = {8}});
  CHECK(contains(error_text([&] { encoder->forward(torch::rand({3, 32, 32})); }), "[3, 32, 32]"));
}
