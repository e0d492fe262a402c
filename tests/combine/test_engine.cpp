// The engine against T plain backward passes, on every kind of graph that could mislead it.
#include "combine/engine_problem.hpp"

namespace {

namespace F = torch::nn::functional;
using namespace engine_tests;
using torch::Tensor;

}  // namespace

TEST_CASE("Engine: multilayer perceptrons, in double and single precision, from one task to many") {
  const auto relu = [](Tensor x) { return torch::relu(x); };
  for (const int64_t tasks : {1, 2, 3, 8, 20}) {
    check_engine(two_layers(torch::kDouble, tasks, relu), exact);
    check_engine(two_layers(torch::kFloat, tasks, relu), single_precision);
  }
}

TEST_CASE("Engine: every activation") {
  const std::vector<std::function<Tensor(Tensor)>> activations = {
      [](Tensor x) { return torch::tanh(x); },
      [](Tensor x) { return torch::sigmoid(x); },
      [](Tensor x) { return torch::leaky_relu(x, 0.1); },
      [](Tensor x) { return torch::elu(x); },
      [](Tensor x) { return torch::gelu(x); },
      [](Tensor x) { return torch::silu(x); },
      [](Tensor x) { return F::softplus(x); },
      [](Tensor x) { return torch::hardtanh(x, -0.4, 0.4); },
      [](Tensor x) { return torch::softmax(x, 1); },  // not element by element
      [](Tensor x) { return torch::dropout(torch::relu(x), 0.4, true); },
      [](Tensor x) { return std::get<0>(torch::native_dropout(x, 0.4, true)); },
      [](Tensor x) { return x + torch::tanh(x); },
      [](Tensor x) { return x * torch::sigmoid(x); },
      [](Tensor x) { return 1.5 - x * x; },
      [](Tensor x) { return (torch::relu_(x) + 1).mul_(1.5); },
      [](Tensor x) {
        return x * torch::randn({1, x.size(1)}, x.options());
      },
      [](Tensor x) {
        return x * x.select(1, 0).unsqueeze(1);
      },  // the gradient of the factor is summed
      [](Tensor x) { return x.slice(0, 0, 1) + torch::relu(x); },  // here, too
      [](Tensor x) { return x.t().contiguous().t(); },
      [](Tensor x) {
        return x.view({3, 3, -1}).tanh().view({9, -1});
      },
      [](Tensor x) { return torch::where(x > 0, x, -0.2 * x); },
  };
  for (size_t i = 0; i < activations.size(); ++i) {
    INFO("activation " << i);
    check_engine(two_layers(torch::kDouble, 3, activations[i]), exact);
    check_engine(two_layers(torch::kFloat, 3, activations[i]), single_precision);
  }
}

TEST_CASE("Engine: convolution and batch normalization") {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    torch::manual_seed(1);
    PlainNet net(type);
    torch::nn::Sequential encoder(
        torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 4, 3).padding(1).bias(false)),
        torch::nn::BatchNorm2d(4), torch::nn::ReLU(),
        torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 6, 3).stride(2)), torch::nn::Flatten(),
        torch::nn::Linear(24, 5));
    encoder->to(type);
    net.shared = encoder->parameters();
    net.add_heads(4, 5);
    const auto x = torch::randn({3, 2, 6, 6}, type);
    check_engine(problem(net, [=]() mutable { return encoder->forward(x); }),
                 type == torch::kDouble ? exact : 1e-4);
  }
}

TEST_CASE("Engine: recurrent nets, fused or not") {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    torch::manual_seed(1);
    const auto tolerance = type == torch::kDouble ? exact : 1e-4;
    check_engine(
        recurrent(type,
                  torch::nn::LSTM(
                      torch::nn::LSTMOptions(3, 6).num_layers(2).batch_first(true).dropout(0.3))),
        tolerance);
    check_engine(recurrent(type, torch::nn::GRU(torch::nn::GRUOptions(3, 6).batch_first(true))),
                 tolerance);
    check_engine(
        recurrent(type, torch::nn::LSTM(
                            torch::nn::LSTMOptions(3, 3).batch_first(true).bidirectional(true))),
        tolerance);
  }
}

TEST_CASE("Engine: parameters used twice, tied, normalised, embedded, three-dimensional") {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    torch::manual_seed(1);
    PlainNet net(type);
    const auto e = net.parameter({9, 8}), w = net.parameter({8, 8}), b = net.parameter({8}),
               v = net.parameter({8, 8}), gamma = net.parameter({8}), beta = net.parameter({8});
    net.add_heads(5, 9);
    const auto words = torch::randint(0, 9, {6, 5});
    check_engine(problem(net,
                         [=] {
                           auto x = F::embedding(words, e);
                           auto y = F::linear(x, w, b);
                           x = torch::relu_(y);
                           x = torch::dropout(torch::tanh(F::linear(x, v)), 0.3, true);
                           x = torch::layer_norm((torch::relu(F::linear(x, w, b)) + 1).mul_(1.5),
                                                 {8}, gamma, beta);
                           return F::linear(x, e).mean(1);
                         }),
                 type == torch::kDouble ? exact : 1e-4);
  }
}

TEST_CASE("Engine: a linear layer used several times in a two-dimensional net") {
  torch::manual_seed(1);
  PlainNet net;
  const auto w = net.parameter({6, 6}), b = net.parameter({6}), other = net.parameter({6, 6});
  net.add_heads(4, 6);
  const auto x = torch::randn({5, 6}, torch::kDouble);
  SECTION("with its bias each time") {
    check_engine(problem(net,
                         [=] {
                           return F::linear(
                               torch::tanh(F::linear(torch::tanh(F::linear(x, w, b)), w, b)),
                               other);
                         }),
                 exact);
  }
  SECTION("without its bias the second time") {
    check_engine(
        problem(
            net,
            [=] { return F::linear(torch::tanh(F::linear(x, w, b)), w) + F::linear(x, other); }),
        exact);
  }
  SECTION("its bias in another layer, too") {
    check_engine(problem(net, [=] { return F::linear(torch::tanh(F::linear(x, w, b)), other, b); }),
                 exact);
  }
  SECTION("its bias added elsewhere, too") {
    check_engine(
        problem(net, [=] { return F::linear(torch::tanh(F::linear(x, w, b)), other) + b; }), exact);
  }
  SECTION("its weight transposed once for two uses") {
    check_engine(problem(net,
                         [=] {
                           const auto t = w.t();
                           return torch::tanh(torch::addmm(b, x, t)).mm(t) + F::linear(x, other);
                         }),
                 exact);
  }
  SECTION("its weight used untransposed, too") {
    check_engine(
        problem(net, [=] { return torch::tanh(F::linear(x, w, b)).mm(w) + F::linear(x, other); }),
        exact);
  }
  SECTION("its weight penalised") {
    check_engine(
        problem(
            net,
            [=] { return torch::tanh(F::linear(x, w, b)) + w.pow(2).sum() + F::linear(x, other); }),
        exact);
  }
  SECTION("its weight penalised in one head") {
    auto losses = problem(net, [=] { return F::linear(torch::tanh(F::linear(x, w, b)), other); });
    const auto plain = losses.losses;
    losses.losses = [=] {
      auto values = plain();
      values[1] = values[1] + w.pow(2).sum() + b.sum();
      return values;
    };
    check_engine(losses, exact);
  }
  SECTION("its product scaled") {
    check_engine(
        problem(net,
                [=] { return F::linear(torch::tanh(torch::addmm(b, x, w.t(), 2, 3)), other); }),
        exact);
  }
  SECTION("its weight computed from another") {
    check_engine(problem(net,
                         [=] {
                           return F::linear(torch::tanh(F::linear(x, w / w.norm(2, {1}, true), b)),
                                            other);
                         }),
                 exact);
  }
  SECTION("products of activations") {
    check_engine(problem(net,
                         [=] {
                           const auto y = F::linear(x, w, b);
                           return torch::tanh(y.mm(y.t()).mm(F::linear(x, other)));
                         }),
                 exact);
  }
  SECTION("a bias that is not linear in the parameters") {
    check_engine(problem(net, [=] { return torch::addmm(F::linear(x, other), x, w.t()) + b; }),
                 exact);
  }
}

TEST_CASE("Engine: parameters reached by some tasks, by one, by none") {
  torch::manual_seed(1);
  PlainNet net;
  const auto w = net.parameter({6, 6}), b = net.parameter({6}), some = net.parameter({6, 6}),
             some_bias = net.parameter({6}), one = net.parameter({6, 6}),
             none = net.parameter({6, 6});
  net.add_heads(4, 6);
  const auto x = torch::randn({5, 6}, torch::kDouble);
  const auto losses = [=](bool constant) {
    const auto y = torch::relu(F::linear(x, w, b));
    const auto z = torch::relu(F::linear(y, some, some_bias));
    Tensors values = {net.head_loss(0, z), net.head_loss(1, z), net.head_loss(2, y),
                      net.head_loss(3, F::linear(y, one))};
    if (constant) values[1] = values[1].detach();
    return values;
  };
  check_engine({[=] { return losses(false); }, net.shared, net.heads}, exact);
  check_engine({[=] { return losses(true); }, net.shared, net.heads}, exact);
  check_engine({[=] {
                  return Tensors{net.head_loss(0, x), net.head_loss(1, x)};
                },
                net.shared,
                {net.heads[0], net.heads[1]}},
               exact);
}

TEST_CASE("Engine: gradients that are one number seen many times") {
  for (const int64_t tasks : {2, 3, 12}) {
    torch::manual_seed(1);
    PlainNet net;
    const auto w = net.parameter({7});
    check_engine({[=] {
                    Tensors losses{w.sum()};
                    while (static_cast<int64_t>(losses.size()) < tasks)
                      losses.push_back((w * static_cast<double>(losses.size())).pow(2).mean());
                    return losses;
                  },
                  net.shared,
                  {}},
                 exact);
  }
}

TEST_CASE("Engine: frozen parameters") {
  for (const size_t frozen : {0, 1, 2, 3}) {
    auto net = two_layers(torch::kDouble, 3, [](Tensor x) { return torch::relu(x); });
    net.shared[frozen].requires_grad_(false);
    check_engine(net, exact);
    net.heads[1][0].requires_grad_(false);
    check_engine(net, exact);
  }
}

TEST_CASE("Engine: heads of every kind") {
  torch::manual_seed(1);
  PlainNet net;
  const auto w = net.parameter({6, 6}), b = net.parameter({6});
  net.add_heads(3, 6);
  const auto x = torch::randn({5, 6}, torch::kDouble);
  const auto encode = [=] { return torch::tanh(F::linear(x, w, b)); };
  SECTION("a loss on the representation itself") {
    check_engine({[=] {
                    const auto z = encode();
                    return Tensors{z.pow(2).mean(), net.head_loss(1, z), z.abs().sum()};
                  },
                  net.shared, net.heads},
                 exact);
  }
  SECTION("heads of two layers, and two heads of one task") {
    check_engine(
        {[=] {
           const auto z = encode();
           return Tensors{
               net.head_loss(0, torch::relu(F::linear(z, net.heads[1][0].t().mm(net.heads[1][0])))),
               net.head_loss(1, z) + net.head_loss(1, 2 * z), net.head_loss(2, z)};
         },
         net.shared, net.heads},
        exact);
  }
  SECTION("heads that begin element by element, with parameters that are broadcast") {
    const auto scale = torch::randn({1}, torch::kDouble).requires_grad_();
    const auto shift = torch::randn({5, 1}, torch::kDouble).requires_grad_();
    auto heads = net.heads;
    heads[0].push_back(scale);
    heads[1].push_back(shift);
    check_engine({[=] {
                    const auto z = encode();
                    return Tensors{net.head_loss(0, torch::relu(scale * z)),
                                   net.head_loss(1, z + shift), net.head_loss(2, z)};
                  },
                  net.shared, heads},
                 exact);
  }
  SECTION("a head that two tasks use") {
    check_engine(
        {[=] {
           const auto z = encode();
           return Tensors{net.head_loss(0, z), net.head_loss(0, z.sin()), net.head_loss(2, z)};
         },
         net.shared, net.heads},
        exact);
  }
  SECTION("a head that uses a shared parameter") {
    check_engine({[=] {
                    const auto z = encode();
                    return Tensors{net.head_loss(0, F::linear(z, w)), net.head_loss(1, z),
                                   net.head_loss(2, z)};
                  },
                  net.shared, net.heads},
                 exact);
  }
  SECTION("a loss that is part of another") {
    check_engine(
        {[=] {
           const auto z = encode();
           const auto first = net.head_loss(0, z);
           return Tensors{first, net.head_loss(1, z) + first.square(), net.head_loss(2, z)};
         },
         net.shared, net.heads},
        exact);
  }
  SECTION("no heads at all") {
    check_engine({[=] {
                    const auto z = encode();
                    return Tensors{z.pow(2).mean(), z.sum()};
                  },
                  net.shared,
                  {}},
                 exact);
  }
  SECTION("a loss of shape [1, 1] that is a product itself") {
    check_engine({[=] {
                    const auto z = encode();
                    return Tensors{z.slice(0, 0, 1).mm(z.slice(0, 1, 2).t()), z.sum().view({1})};
                  },
                  net.shared,
                  {}},
                 exact);
  }
}
