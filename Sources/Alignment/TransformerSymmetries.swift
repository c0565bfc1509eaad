import Networks

// Of transformers move the channels of a token, which every block adds to, each attention's heads, and each MLP's neurons. A head is a block of
// channels of the queries, keys and values, which lie side by side, and of what the projection reads.

extension VisionTransformer: SymmetricNetwork {
  public func declare(_ symmetry: inout Symmetry) {
    let channels = symmetry.units("patch_embed.proj")
    symmetry.parameter("cls_token", .fixed, .fixed, channels)
    symmetry.parameter("pos_embed", .fixed, .fixed, channels)
    symmetry.layer("patch_embed.proj", to: channels)
    for (index, block) in blocks.enumerated() {
      let name = "blocks.\(index)"
      let hidden = symmetry.units("\(name).mlp.fc1")
      let heads = symmetry.heads("\(name).attn", block.attention.heads, of: channels)
      symmetry.norm("\(name).norm1", channels)
      symmetry.layer("\(name).attn.qkv", from: channels, to: heads.repeated(3))
      symmetry.layer("\(name).attn.proj", from: heads, to: channels)
      symmetry.norm("\(name).norm2", channels)
      symmetry.layer("\(name).mlp.fc1", from: channels, to: hidden)
      symmetry.layer("\(name).mlp.fc2", from: hidden, to: channels)
    }
    symmetry.norm("norm", channels)
    symmetry.layer("head", from: channels)
  }
}

extension CLIPVision: SymmetricNetwork {
  /// The features before a zero-shot head stay, since texts share them.
  public func declare(_ symmetry: inout Symmetry) {
    let channels = symmetry.units("visual.conv1")
    symmetry.parameter("visual.class_embedding", channels)
    symmetry.parameter("visual.positional_embedding", .fixed, channels)
    symmetry.layer("visual.conv1", to: channels)
    symmetry.norm("visual.ln_pre", channels)
    for (index, block) in visual.blocks.enumerated() {
      let name = "visual.transformer.resblocks.\(index)"
      let hidden = symmetry.units("\(name).mlp.c_fc")
      let heads = symmetry.heads("\(name).attn", block.attention.heads, of: channels)
      symmetry.norm("\(name).ln_1", channels)
      symmetry.layer(
        weight: "\(name).attn.in_proj_weight", bias: "\(name).attn.in_proj_bias", of: "\(name).attn", isModule: false,
        from: channels, to: heads.repeated(3))
      symmetry.layer("\(name).attn.out_proj", from: heads, to: channels)
      symmetry.norm("\(name).ln_2", channels)
      symmetry.layer("\(name).mlp.c_fc", from: channels, to: hidden)
      symmetry.layer("\(name).mlp.c_proj", from: hidden, to: channels)
    }
    symmetry.norm("visual.ln_post", channels)
    guard let projection = visual.proj else { return symmetry.layer("head", from: channels) }
    let features =
      head.bias == nil ? .fixed : symmetry.units("visual.proj", projection.value.shape[1])
    symmetry.parameter("visual.proj", channels, features)
    symmetry.layer("head", from: features)
  }
}

extension GPT: SymmetricNetwork {
  public func declare(_ symmetry: inout Symmetry) {
    let channels = symmetry.units("transformer.wte", outputs: 1)
    symmetry.parameter("transformer.wte.weight", .fixed, channels)
    symmetry.parameter("transformer.wpe.weight", .fixed, channels)
    for (index, block) in transformer.h.enumerated() {
      let name = "transformer.h.\(index)"
      let hidden = symmetry.units("\(name).mlp.c_fc", outputs: 1)
      let heads = symmetry.heads("\(name).attn", block.attention.heads, of: channels)
      symmetry.norm("\(name).ln_1", channels)
      symmetry.transposedLayer("\(name).attn.c_attn", from: channels, to: heads.repeated(3))
      symmetry.transposedLayer("\(name).attn.c_proj", from: heads, to: channels)
      symmetry.norm("\(name).ln_2", channels)
      symmetry.transposedLayer("\(name).mlp.c_fc", from: channels, to: hidden)
      symmetry.transposedLayer("\(name).mlp.c_proj", from: hidden, to: channels)
    }
    symmetry.norm("transformer.ln_f", channels)
  }
}

extension Symmetry {
  /// The heads of an attention, each with its share of the channels.
  fileprivate mutating func heads(_ name: String, _ count: Int, of channels: Axis) -> Axis {
    units("\(name) heads", count).inBlocks(of: channels.length / count)
  }
}
