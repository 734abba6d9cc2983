package dev.resid.sae.io;

import java.util.List;
import java.util.Set;

/**
 * Keys of the flat cfg.json of SAELens 1 to 5. Those files are, or began as, a dump of the training
 * configuration, so most keys say how the SAE was made and not what it computes.
 */
final class SaeLensTraining {
  /** Keys that state what is computed, or where; each is read or checked. */
  private static final Set<String> READ =
      Set.of(
          "architecture",
          "d_in",
          "d_sae",
          "d_out",
          "dtype",
          "hook_point",
          "hook_point_layer",
          "hook_point_head_index",
          "hook_name",
          "hook_layer",
          "hook_head_index",
          "hook_name_out",
          "activation_fn",
          "activation_fn_str",
          "activation_fn_kwargs",
          "apply_b_dec_to_input",
          "finetuning_scaling_factor",
          "normalize_activations",
          "reshape_activations",
          "rescale_acts_by_decoder_norm",
          "k",
          "expansion_factor",
          "prepend_bos",
          "context_size",
          "model_name",
          "neuronpedia_id",
          "model_from_pretrained_kwargs");

  /** Keys without influence on what is computed. */
  private static final Set<String> INERT =
      Set.of(
          "device",
          "act_store_device",
          "seed",
          "verbose",
          "resume",
          "streaming",
          "autocast",
          "autocast_lm",
          "compile_llm",
          "compile_sae",
          "llm_compilation_mode",
          "sae_compilation_mode",
          "model_class_name",
          "model_kwargs",
          "hook_point_eval",
          "hook_eval",
          "hook_layer_out",
          "hook_head_index_out",
          "is_dataset_tokenized",
          "is_dataset_on_disk",
          "use_cached_activations",
          "cached_activations_path",
          "new_cached_activations_path",
          "from_pretrained_path",
          "b_dec_init_method",
          "decoder_orthogonal_init",
          "decoder_heuristic_init",
          "decoder_heuristic_init_norm",
          "init_encoder_as_decoder_transpose",
          "normalize_sae_decoder",
          "scale_sparsity_penalty_by_decoder_norm",
          "noise_scale",
          "mse_loss_normalization",
          "use_ghost_grads",
          "lp_norm",
          "run_name",
          "seqpos_slice",
          "exclude_special_tokens",
          "ghost_grads_every_n_steps",
          "disable_concat_sequences",
          "sequence_separator_token",
          "jumprelu_init_threshold",
          "jumprelu_bandwidth",
          "tokens_per_buffer",
          "total_training_steps",
          "effective_batch_size",
          "output_path",
          "push_to_hub",
          "hub_repo_id");

  /** How families of inert keys begin. */
  private static final List<String> INERT_PREFIXES =
      List.of(
          "dataset_",
          "adam_",
          "lr_",
          "l1_",
          "dead_feature_",
          "feature_sampling_",
          "feature_reinit_",
          "wandb_",
          "log_",
          "eval_",
          "n_",
          "train_batch_",
          "store_batch_",
          "training_",
          "finetuning_tokens",
          "finetuning_method",
          "checkpoint",
          "sae_lens_",
          "tokenizer_");

  private SaeLensTraining() {}

  /** Returns whether a key is read, or does not matter. */
  static boolean isKnown(String key) {
    return READ.contains(key)
        || INERT.contains(key)
        || key.equals("lr")
        || INERT_PREFIXES.stream().anyMatch(key::startsWith);
  }
}
