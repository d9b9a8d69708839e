__version__ = "0.1.0"

from gymnasium import register

register('MarioRL-v0', entry_point='mario_rl.game.wrappers:MarioEnv')
