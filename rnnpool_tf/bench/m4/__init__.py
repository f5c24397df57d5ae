"""The operator on an emulated Cortex-M4: firmware images built, run and measured."""
