#pragma once

#include <zlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mtl/mtl.hpp"

/// Reads a gzipped (or plain) file of MNIST's idx format with unsigned bytes: uint8 [sizes as the
/// file says]. Error: the file is missing, cut short, or of another kind.
inline mtl::Tensor read_idx(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw mtl::Error("{}: cannot be opened; expected an idx file of MNIST", path.string());
  const auto read = [&](void* to, size_t bytes) {
    auto* at = static_cast<unsigned char*>(to);
    while (bytes > 0) {  // gzread takes at most 2 GiB at once
      const int got =
          gzread(file.get(), at, static_cast<unsigned>(std::min<size_t>(bytes, 1U << 30)));
      if (got <= 0) throw mtl::Error("{}: the file ends {} bytes too early", path.string(), bytes);
      at += got;
      bytes -= static_cast<size_t>(got);
    }
  };
  unsigned char head[4];
  read(head, 4);
  if (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] < 1 || head[3] > 4) {
    throw mtl::Error(
        "{}: not an idx file of unsigned bytes (it begins {:02x} {:02x} {:02x} {:02x})",
        path.string(), head[0], head[1], head[2], head[3]);
  }
  std::vector<int64_t> sizes(head[3]);
  for (int64_t& size : sizes) {
    unsigned char big_endian[4];
    read(big_endian, 4);
    size = int64_t{big_endian[0]} << 24 | big_endian[1] << 16 | big_endian[2] << 8 | big_endian[3];
  }
  mtl::Tensor values = torch::empty(sizes, torch::kByte);
  read(values.data_ptr<uint8_t>(), static_cast<size_t>(values.numel()));
  return values;
}

/// Two digits in one picture, the first shifted to the upper left and the second to the lower
/// right, where they overlap by their brighter pixel: digits uint8 [N, 28, 28] and labels [N] -> 36
/// x 36 pictures, reduced to 28 x 28. Each digit is once the left one; its partner is drawn from
/// all. Sabour et al., NeurIPS 2017; Sener and Koltun, NeurIPS 2018. Input "picture" float [N, 1,
/// 28, 28] in [0, 1]; targets "left" and "right", class indices.
inline mtl::TensorDataset overlay(const mtl::Tensor& digits, const mtl::Tensor& labels,
                                  uint64_t seed) {
  const int64_t count = digits.size(0);
  auto generator = mtl::make_generator(seed);
  const mtl::Tensor partner = torch::randint(count, {count}, generator, torch::kLong);
  mtl::Tensor pictures = torch::empty({count, 1, 28, 28});
  for (int64_t begin = 0; begin < count; begin += 4096) {  // a whole set of 36 x 36 would be large
    const int64_t size = std::min<int64_t>(4096, count - begin);
    mtl::Tensor large = torch::zeros({size, 1, 36, 36}, torch::kByte);
    large.slice(2, 0, 28).slice(3, 0, 28).select(1, 0).copy_(digits.narrow(0, begin, size));
    const mtl::Tensor second = digits.index_select(0, partner.narrow(0, begin, size));
    mtl::Tensor corner = large.slice(2, 8, 36).slice(3, 8, 36).select(1, 0);
    corner.copy_(torch::maximum(corner, second));
    pictures.narrow(0, begin, size)
        .copy_(torch::adaptive_avg_pool2d(large.to(torch::kFloat) / 255, {28, 28}));
  }
  const mtl::Tensor left = labels.to(torch::kLong);
  return mtl::TensorDataset({{"picture", pictures}},
                            {{"left", left}, {"right", left.index_select(0, partner)}});
}

/// The overlaid pictures of one part of MNIST in a folder ("train" or "t10k"), the first `samples`
/// of it.
inline mtl::TensorDataset multi_mnist(const std::filesystem::path& folder, const std::string& part,
                                      int64_t samples, uint64_t seed) {
  const mtl::Tensor digits = read_idx(folder / (part + "-images-idx3-ubyte.gz"));
  const mtl::Tensor labels = read_idx(folder / (part + "-labels-idx1-ubyte.gz"));
  if (digits.dim() != 3 || labels.dim() != 1 || digits.size(0) != labels.size(0)) {
    throw mtl::Error("{}: pictures {} and labels {} do not belong together", folder.string(),
                     mtl::shape_text(digits), mtl::shape_text(labels));
  }
  const int64_t kept = std::min(samples, digits.size(0));
  return overlay(digits.narrow(0, 0, kept), labels.narrow(0, 0, kept), seed);
}

/// LeNet without its last layer, as Sener and Koltun share it: [N, 1, 28, 28] -> [N, 50].
struct LeNetImpl : torch::nn::Module {
  torch::nn::Conv2d first{torch::nn::Conv2dOptions(1, 10, 5)};
  torch::nn::Conv2d second{torch::nn::Conv2dOptions(10, 20, 5)};
  torch::nn::Linear last{320, 50};

  LeNetImpl() {
    register_module("first", first);
    register_module("second", second);
    register_module("last", last);
  }
  mtl::Tensor forward(const mtl::Tensor& picture) {
    mtl::Tensor x = torch::max_pool2d(first->forward(picture), 2).relu();
    x = torch::max_pool2d(second->forward(x), 2).relu();
    return last->forward(x.flatten(1)).relu();
  }
};
TORCH_MODULE(LeNet);

/// LeNet with two heads, one a digit.
inline mtl::HardSharing left_and_right() {
  mtl::TaskRegistry tasks;
  for (const char* name : {"left", "right"}) {
    tasks.add(
        {.name = name,
         .head = mtl::nn::MlpHead({.input_size = 50, .hidden_sizes = {50}, .output_size = 10}),
         .loss = mtl::CrossEntropy{},
         .metrics = {mtl::Accuracy{}}});
  }
  return mtl::HardSharing(LeNet(), tasks);
}
