#include "methods.hpp"
#include "mtl/combine/gradients/gradients.hpp"

namespace mtl {
namespace {

// The options that all gradient combiners share.
template <class Chosen>
Chosen common(Options options) {
  Chosen chosen;
  chosen.at = options.choice("at", chosen.at,
                             {{"shared_parameters", GradientSite::shared_parameters},
                              {"representation", GradientSite::representation}});
  if constexpr (requires { chosen.every; }) chosen.every = options.count("every", chosen.every);
  if constexpr (requires { chosen.preference; }) chosen.preference = options.numbers("preference");
  if constexpr (requires { chosen.seed; })
    chosen.seed = static_cast<uint64_t>(options.count("seed", static_cast<int64_t>(chosen.seed)));
  return chosen;
}

// A combiner that has no options but the shared ones.
template <class Kind>
Made plain(Options options, Tasks) {
  return std::make_unique<Kind>(common<typename Kind::Options>(options));
}

Made mgda(Options options, Tasks) {
  using Scale = Mgda::Scale;
  auto chosen = common<Mgda::Options>(options);
  chosen.scale = options.choice("scale", chosen.scale,
                                {{"none", Scale::none},
                                 {"l2", Scale::l2},
                                 {"loss", Scale::loss},
                                 {"loss+", Scale::loss_and_l2}});
  return std::make_unique<Mgda>(chosen);
}

Made gradvac(Options options, Tasks) {
  using Groups = GradVac::Groups;
  auto chosen = common<GradVac::Options>(options);
  chosen.beta = options.number("beta", chosen.beta);
  chosen.groups = options.choice(
      "groups", chosen.groups,
      {{"whole", Groups::whole}, {"layer", Groups::layer}, {"parameter", Groups::parameter}});
  return std::make_unique<GradVac>(chosen);
}

Made cagrad(Options options, Tasks) {
  using Rescale = CaGrad::Rescale;
  auto chosen = common<CaGrad::Options>(options);
  chosen.c = options.number("c", chosen.c);
  chosen.rescale =
      options.choice("rescale", chosen.rescale,
                     {{"0", Rescale::none}, {"1", Rescale::by_square}, {"2", Rescale::by_sum}});
  return std::make_unique<CaGrad>(chosen);
}

Made imtl(Options options, Tasks tasks) {
  return std::make_unique<Imtl>(tasks, common<ImtlG::Options>(options));
}

Made nash(Options options, Tasks) {
  auto chosen = common<NashMtl::Options>(options);
  chosen.max_norm = options.number("max_norm", chosen.max_norm);
  return std::make_unique<NashMtl>(chosen);
}

Made aligned(Options options, Tasks) {
  using Scale = AlignedMtl::Scale;
  auto chosen = common<AlignedMtl::Options>(options);
  chosen.scale =
      options.choice("scale", chosen.scale,
                     {{"min", Scale::min}, {"median", Scale::median}, {"rmse", Scale::rmse}});
  return std::make_unique<AlignedMtl>(chosen);
}

Made fairgrad(Options options, Tasks) {
  auto chosen = common<FairGrad::Options>(options);
  chosen.alpha = options.number("alpha", chosen.alpha);
  return std::make_unique<FairGrad>(chosen);
}

Made pcd(Options options, Tasks) {
  auto chosen = common<Pcd::Options>(options);
  chosen.tau = options.number("tau", chosen.tau);
  chosen.beta = options.number("beta", chosen.beta);
  chosen.eps = options.number("eps", chosen.eps);
  return std::make_unique<Pcd>(chosen);
}

Made graddrop(Options options, Tasks) {
  auto chosen = common<GradDrop::Options>(options);
  chosen.leak = options.number("leak", chosen.leak);
  return std::make_unique<GradDrop>(std::move(chosen));
}

Made gradnorm(Options options, Tasks tasks) {
  auto chosen = common<GradNorm::Options>(options);
  chosen.alpha = options.number("alpha", chosen.alpha);
  return std::make_unique<GradNorm>(tasks, chosen);
}

Made krum(Options options, Tasks) {
  auto chosen = common<Krum::Options>(options);
  chosen.byzantine = options.count("byzantine", chosen.byzantine);
  chosen.selected = options.count("selected", chosen.selected);
  return std::make_unique<Krum>(chosen);
}

Made trimmed_mean(Options options, Tasks) {
  auto chosen = common<TrimmedMean::Options>(options);
  chosen.trim = options.count("trim", chosen.trim);
  return std::make_unique<TrimmedMean>(chosen);
}

Made excess_mtl(Options options, Tasks) {
  auto chosen = common<ExcessMtl::Options>(options);
  chosen.step_size = options.number("step_size", options.number("step", chosen.step_size));
  return std::make_unique<ExcessMtl>(chosen);
}

Made moco(Options options, Tasks) {
  auto chosen = common<MoCo::Options>(options);
  chosen.beta = options.number("beta", chosen.beta);
  chosen.beta_sigma = options.number("beta_sigma", chosen.beta_sigma);
  chosen.gamma = options.number("gamma", chosen.gamma);
  chosen.gamma_sigma = options.number("gamma_sigma", chosen.gamma_sigma);
  chosen.rho = options.number("rho", chosen.rho);
  return std::make_unique<MoCo>(chosen);
}

Made db_mtl(Options options, Tasks) {
  auto chosen = common<DbMtl::Options>(options);
  chosen.beta = options.number("beta", chosen.beta);
  chosen.beta_sigma = options.number("beta_sigma", chosen.beta_sigma);
  return std::make_unique<DbMtl>(chosen);
}

Made modo(Options options, Tasks) {
  auto chosen = common<MoDo::Options>(options);
  chosen.gamma = options.number("gamma", chosen.gamma);
  chosen.rho = options.number("rho", chosen.rho);
  return std::make_unique<MoDo>(chosen);
}

Made sdmgrad(Options options, Tasks) {
  auto chosen = common<SdmGrad::Options>(options);
  chosen.lr = options.number("lr", chosen.lr);
  chosen.momentum = options.number("momentum", chosen.momentum);
  chosen.n_iter = options.count("n_iter", chosen.n_iter);
  chosen.lambda = options.number("lambda", chosen.lambda);
  return std::make_unique<SdmGrad>(chosen);
}

// The smoothed method takes no options here; in C++ any gradient combiner can be given.
Made cr_mogm(Options options, Tasks) {
  using Inner = std::unique_ptr<GradientCombiner> (*)();
  const auto inner = options.choice<Inner>(
      "of", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<Mgda>()); },
      {{"mgda", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<Mgda>()); }},
       {"cagrad", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<CaGrad>()); }},
       {"pcgrad", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<PcGrad>()); }},
       {"nash", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<NashMtl>()); }},
       {"imtl_g", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<ImtlG>()); }},
       {"aligned",
        [] { return std::unique_ptr<GradientCombiner>(std::make_unique<AlignedMtl>()); }},
       {"fairgrad", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<FairGrad>()); }},
       {"upgrad", [] { return std::unique_ptr<GradientCombiner>(std::make_unique<UpGrad>()); }}});
  auto chosen = common<CrMogm::Options>(options);
  chosen.alpha = options.number("alpha", chosen.alpha);
  return std::make_unique<CrMogm>(inner(), chosen);
}

}  // namespace

const std::vector<Method>& gradient_methods() {
  static const std::vector<Method> methods = {
      {"mgda", mgda},
      {"pcgrad", plain<PcGrad>},
      {"gradvac", gradvac},
      {"cagrad", cagrad},
      {"imtl_g", plain<ImtlG>},
      {"imtl", imtl},
      {"nash", nash},
      {"aligned", aligned},
      {"fairgrad", fairgrad},
      {"upgrad", plain<UpGrad>},
      {"dualproj", plain<DualProj>},
      {"config", plain<ConFig>},
      {"pcd", pcd},
      {"graddrop", graddrop},
      {"gradnorm", gradnorm},
      {"krum", krum},
      {"trimmed_mean", trimmed_mean},
      {"excess_mtl", excess_mtl},
      {"moco", moco},
      {"db_mtl", db_mtl},
      {"modo", modo},
      {"sdmgrad", sdmgrad},
      {"cr_mogm", cr_mogm},
      {"random", plain<RandomWeights>},
  };
  return methods;
}

}  // namespace mtl
