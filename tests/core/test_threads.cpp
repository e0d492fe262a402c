#include "catch.hpp"

#include <thread>

#include "error_text.hpp"
#include "mtl/core/threads.hpp"

TEST_CASE("threads_that_pay: one for a small net, more for a large one, by the work alone") {
  const auto net = [](int64_t width) {
    return std::vector<mtl::Tensor>{torch::empty({width, width}), torch::empty({width}),
                                    torch::empty({4, width})};
  };
  const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  CHECK(mtl::threads_that_pay(net(256), 32) == 1);
  CHECK(mtl::threads_that_pay(net(1024), 64) == std::min(2, processors));
  CHECK(mtl::threads_that_pay(net(1024), 1'000'000) == processors);
  CHECK(mtl::threads_that_pay({}, 32) == 1);
  CHECK(mtl::threads_that_pay({torch::empty({1'000'000})}, 1000) == 1);  // no matrix
  CHECK(contains(error_text([&] { mtl::threads_that_pay(net(4), 0); }), "found 0 rows"));
}

TEST_CASE("threads_that_pay: many small matrices beside a large one do not hide it") {
  std::vector<mtl::Tensor> parameters(100, torch::empty({16, 16}));
  parameters.push_back(torch::empty({4096, 1024}));
  CHECK(mtl::threads_that_pay(parameters, 64) ==
        mtl::threads_that_pay({torch::empty({4096, 1024})}, 60));
}
